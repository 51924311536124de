"""One upload step by step, over HTTP/1.1 or HTTP/2: what comes back is noted with its time."""

import re
import socket
import time

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from tap import split

TICK = 0.02
TOKEN = "s3cr3t"


class Exchange:
    """The part that does not depend on the version of HTTP."""

    def __init__(self, address, path, fields):
        self.statuses = []
        self.closed = False
        self.socket = socket.create_connection(split(address), timeout=5)
        self.socket.settimeout(TICK)
        self.start(path, fields)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def interim(self):
        """When the first 1xx came, if one has."""
        return next((when for when, status in self.statuses if status < 200), None)

    def finals(self):
        """More than one if further requests were answered."""
        return [status for _, status in self.statuses if status >= 200]

    def final(self):
        return next(iter(self.finals()), None)

    def wait(self, seconds, done=None):
        """Reads until `done`, by default until a new status is there, or the time is up."""
        known = len(self.statuses)
        done = done or (lambda: len(self.statuses) > known)
        end = time.monotonic() + seconds
        while not done() and not self.closed and time.monotonic() < end:
            try:
                chunk = self.socket.recv(1 << 16)
            except TimeoutError:
                continue
            except OSError:
                chunk = b""
            self.closed = not chunk
            self.take(chunk)

    def wait_for_final(self, seconds):
        self.wait(seconds, lambda: self.final() is not None)

    def wait_for_close(self, seconds):
        self.wait(seconds, lambda: False)

    def put(self, data):
        """Writes all, while it reads; stops without an error where the peer has closed."""
        end = time.monotonic() + 10
        while data and not self.closed and time.monotonic() < end:
            try:
                data = data[self.socket.send(data) :]
            except TimeoutError:
                self.wait(TICK)
            except OSError:
                return


class Http1(Exchange):
    def start(self, path, fields):
        self.received = b""
        lines = [f"PUT {path} HTTP/1.1", "Host: a"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        self.put("\r\n".join([*lines, "", ""]).encode())

    def take(self, chunk):
        """Every status line counts, so that answers to hidden requests would show."""
        self.received += chunk
        found = re.findall(rb"HTTP/1\.1 (\d\d\d)[^\r]*\r\n", self.received)
        for status in found[len(self.statuses) :]:
            self.statuses.append((time.monotonic(), int(status)))

    def send(self, content, end):
        self.put(content)

    def again(self, path):
        """A second request on the connection."""
        self.put(
            f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
        )


class Http2(Exchange):
    def start(self, path, fields):
        settings = h2.config.H2Configuration(client_side=True, header_encoding="ascii")
        self.h2 = h2.connection.H2Connection(settings)
        self.h2.initiate_connection()
        head = {":method": "PUT", ":scheme": "http", ":authority": "a", ":path": path, **fields}
        self.h2.send_headers(1, list(head.items()))
        self.reset = False
        self.put(self.h2.data_to_send())

    def take(self, chunk):
        for event in self.h2.receive_data(chunk):
            answered = h2.events.InformationalResponseReceived, h2.events.ResponseReceived
            if isinstance(event, answered):
                self.statuses.append((time.monotonic(), int(dict(event.headers)[":status"])))
            self.reset |= isinstance(event, h2.events.StreamReset)
            self.closed |= isinstance(event, h2.events.ConnectionTerminated)
        self.put(self.h2.data_to_send())

    def send(self, content, end):
        stop = time.monotonic() + 10
        while content and not (self.closed or self.reset) and time.monotonic() < stop:
            room = min(self.h2.local_flow_control_window(1), self.h2.max_outbound_frame_size)
            if room <= 0:
                self.wait(TICK, lambda: self.h2.local_flow_control_window(1) > 0)
                continue
            frame, content = content[:room], content[room:]
            try:
                self.h2.send_data(1, frame, end_stream=end and not content)
            except h2.exceptions.StreamClosedError:
                return
            self.put(self.h2.data_to_send())

    def again(self, path):
        head = {":method": "GET", ":scheme": "http", ":authority": "a", ":path": path}
        if not self.closed:
            head |= {"authorization": f"Bearer {TOKEN}"}
            self.h2.send_headers(3, list(head.items()), end_stream=True)
            self.put(self.h2.data_to_send())


KINDS = {"1.1": Http1, "2": Http2}

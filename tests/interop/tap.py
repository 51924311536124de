"""A relay between a proxy and its server that notes what passes, and when."""

import socket
import threading
import time


class Tap:
    """Holds the server's answers back, so that what a client has before is the proxy's own."""

    def __init__(self, server, hold):
        self.server = split(server)
        self.hold = hold
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:{}".format(self.listener.getsockname()[1])
        self.to_server = []
        self.to_proxy = []
        threading.Thread(target=self.accept, daemon=True).start()

    def forget(self):
        self.to_server, self.to_proxy = [], []

    def close(self):
        self.listener.close()

    def accept(self):
        while True:
            try:
                proxy, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.server)
            for ends in ((proxy, server, "to_server"), (server, proxy, "to_proxy")):
                threading.Thread(target=self.pump, args=ends, daemon=True).start()

    def pump(self, source, sink, direction):
        try:
            while chunk := source.recv(1 << 16):
                if direction == "to_proxy":
                    time.sleep(self.hold)
                getattr(self, direction).append((time.monotonic(), chunk))
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, sink):
                end.close()


def split(address):
    host, port = address.split(":")
    return host, int(port)

"""The servers under load: started on loopback on a processor of their own, and stopped."""

import json
import os
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).parent
SERVER_CORE, CLIENT_CORE = "0", "1"


class Programs:
    """Starts servers and runs the clients."""

    def __init__(self, work):
        self.work = work
        self.built = work / "cargo/release"

    def server(self, name, **environment):
        if name == "nginx":
            return self.nginx()
        command = {
            "actix": [self.built / "actix_server"],
            "go": [self.work / "net_http"],
            "node": ["node", HERE / "servers/node.mjs"],
        }.get(name) or [self.built / "axum_server", name]
        environment = os.environ | environment
        process = pinned(SERVER_CORE, *command, stdout=subprocess.PIPE, env=environment)
        return Server(process, process.stdout.readline().strip())

    def nginx(self):
        address = free_address()
        config = self.work / "nginx.conf"
        template = (HERE / "servers/nginx.conf").read_text()
        config.write_text(template.format(work=self.work.resolve(), address=address))
        process = pinned(SERVER_CORE, "nginx", "-c", config.resolve(), stderr=subprocess.DEVNULL)
        wait_for(address)
        return Server(process, address)

    def content(self, length):
        """A file of so many bytes."""
        file = self.work / f"content-{length}"
        file.write_bytes(b"x" * length)
        return file

    def driver(self, *arguments):
        """Runs the driver to its end and gives its report."""
        process = pinned(CLIENT_CORE, self.built / "driver", *arguments, stdout=subprocess.PIPE)
        said, _ = process.communicate(timeout=120)
        if process.returncode:
            raise RuntimeError(f"driver {arguments} failed")
        return json.loads(said)

    def hold(self, address, path, connections):
        """Keeps connections open that wait inside the server; gives the process that has them."""
        process = pinned(
            CLIENT_CORE,
            *(self.built / "driver", "held", address, path, connections),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        json.loads(process.stdout.readline())
        return process


class Server:
    """A server's process; stopped at the end of its `with`."""

    def __init__(self, process, address):
        self.process = process
        self.address = address

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def processor_seconds(self):
        """The processor's time that it has taken so far, to the nanosecond."""
        # The clock that `clock_getcpuclockid` gives for another process.
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def resident_bytes(self):
        for line in Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Rss:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("the system does not tell the resident memory")


def pinned(core, *command, **options):
    command = ("taskset", "-c", core, *map(str, command))
    options = {"stdin": subprocess.DEVNULL, "text": True} | options
    return subprocess.Popen(command, **options)


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def wait_for(address):
    host, port = address.split(":")
    for _ in range(100):
        try:
            return socket.create_connection((host, int(port))).close()
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nothing listens on {address}")

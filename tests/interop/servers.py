"""The servers of the matrix, one a column: started on loopback, and stopped."""

import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).parent
APACHE_MODULES = "/usr/lib/apache2/modules"
# On sockets that linger, which matters to HTTP/1.1 alone; `slow-layer-linger` is such a one, too.
LINGERING = ("axum-linger", "layer-linger")
EXAMPLES = ("bare", "layer", "layer-empty", "serve", *LINGERING)
SERVERS = (*EXAMPLES, "nginx", "haproxy-bare", "haproxy-layer")
# Only on demand: a validator that takes longer than clients wait for the 100.
SLOW = ("slow-layer", "slow-layer-linger", "slow-serve")
# And unread bodies that are drained before the response.
DRAIN_FIRST = {"layer": "layer-drain-first", "serve": "serve-drain-first"}
ON_DEMAND = ("layer-axum", *SLOW, *DRAIN_FIRST.values())
# Only on demand, since they take their time: the layer behind a link with a round trip in
# milliseconds and losses in percent.
LINKS = {"layer-20ms": (20, 1), "layer-200ms": (200, 1)}
# Before these, the example `proxy`.
PROXIED = ("proxy-bare", "proxy-layer")
# Not ours, nor on hyper; nginx is another one.
OTHERS = ("go", "node", "aiohttp", "apache")
# These do not refuse so by themselves.
MISSING = {"nginx": ("r417", "handler401"), "apache": ("handler401",)}

NGINX = """
user root;
daemon off;
pid {work}/nginx.pid;
error_log {work}/nginx.log;
events {{}}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_temp_path {work}/nginx-body;
    proxy_temp_path {work}/nginx-proxy;
    fastcgi_temp_path {work}/nginx-fastcgi;
    uwsgi_temp_path {work}/nginx-uwsgi;
    scgi_temp_path {work}/nginx-scgi;
    server {{
        listen {http1};
        listen {http2} http2;
        add_header www-authenticate Bearer always;
        location /accept/ {{
            if ($http_authorization != "Bearer s3cr3t") {{ return 401; }}
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_pass http://{bare};
        }}
        location /r401/ {{ return 401; }}
        location /r413/ {{ client_max_body_size 1k; }}
    }}
}}
"""

HAPROXY = """
global
    log stderr local0 emerg
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen front
    bind {front}
    server back {back}
"""


class Servers:
    """Gives the addresses of the servers by name and the version of HTTP."""

    def __init__(self, work, programs):
        self.work = work
        self.programs = programs
        self.processes = []
        self.addresses = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(timeout=10)

    def address(self, name, http):
        if name not in self.addresses:
            self.addresses[name] = self.start(name)
        return self.addresses[name][http]

    def start(self, name):
        if name in (*EXAMPLES, *ON_DEMAND):
            process = self.run(str(self.programs / "interop_server"), name, stdout=subprocess.PIPE)
            address = process.stdout.readline().strip()
            return {"1.1": address, "2": address}
        if name == "nginx":
            return self.start_nginx()
        if name in LINKS:
            return self.start_link(*LINKS[name])
        if name in OTHERS:
            return self.start_other(name)
        if name in PROXIED:
            return self.start_proxy(name.removeprefix("proxy-"))
        back = self.address(name.removeprefix("haproxy-"), "1.1")
        front = free_address()
        config = self.work / f"{name}.cfg"
        config.write_text(HAPROXY.format(front=front, back=back))
        self.run("haproxy", "-q", "-db", "-f", str(config))
        wait_for(front)
        return {"1.1": front, "2": front}

    def start_nginx(self):
        http1, http2 = free_address(), free_address()
        config = self.work / "nginx.conf"
        bare = self.address("bare", "1.1")
        config.write_text(NGINX.format(work=self.work, http1=http1, http2=http2, bare=bare))
        self.run("nginx", "-c", str(config), stderr=subprocess.DEVNULL)
        wait_for(http1)
        return {"1.1": http1, "2": http2}

    def start_other(self, name):
        if name == "apache":
            return self.start_apache()
        command = {
            "go": (self.work / "go_server",),
            "node": ("node", HERE / "others/node.mjs"),
            "aiohttp": (self.work / "venv/bin/python", HERE / "others/aiohttp_server.py"),
        }[name]
        process = self.run(*map(str, command), stdout=subprocess.PIPE)
        return {"1.1": process.stdout.readline().strip()}

    def start_apache(self):
        front = free_address()
        place = self.work / "apache"
        place.mkdir(exist_ok=True)
        template = (HERE / "others/apache.conf").read_text()
        values = {"modules": APACHE_MODULES, "work": place, "front": front}
        config = place / "apache.conf"
        config.write_text(template.format(bare=self.address("bare", "1.1"), **values))
        self.run("apache2", "-D", "FOREGROUND", "-f", str(config))
        wait_for(front)
        return {"1.1": front}

    def start_proxy(self, origin):
        front = free_address()
        origin = self.address(origin, "1.1")
        self.run(str(self.programs / "proxy"), "--listen", front, f"http://{origin}")
        wait_for(front)
        return {"1.1": front, "2": front}

    def start_link(self, round_trip, lost_percent):
        program = str(self.programs / "interop_delay")
        server = self.address("layer", "1.1")
        link = self.run(
            program, server, str(round_trip), str(lost_percent), stdout=subprocess.PIPE
        )
        address = link.stdout.readline().strip()
        return {"1.1": address, "2": address}

    def run(self, *command, **options):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True, **options)
        self.processes.append(process)
        return process


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

"""The proxies: their settings of interest, and how each is started on loopback."""

import contextlib
import dataclasses
import re
import subprocess
import sys
from pathlib import Path

from servers import free_address, wait_for

TEMPLATES = Path(__file__).parent / "proxies"
APACHE_MODULES = "/usr/lib/apache2/modules"
# It comes as a wheel, so that the program is beside the interpreter.
ENVOY = str(Path(sys.executable).parent / "envoy")
COMMANDS = {
    "HAProxy": ("haproxy.cfg", "haproxy", "-q", "-db", "-f"),
    "nginx": ("nginx.conf", "nginx", "-c"),
    "Apache": ("apache.conf", "apache2", "-D", "FOREGROUND", "-f"),
    "Caddy": ("Caddyfile", "caddy", "run", "--adapter", "caddyfile", "--config"),
    "Envoy": ("envoy.yaml", ENVOY, "-l", "off", "--disable-hot-restart", "-c"),
}


@dataclasses.dataclass(frozen=True)
class Proxy:
    """One program with one setting: what is filled into the template, by place."""

    name: str
    program: str
    settings: dict = dataclasses.field(default_factory=dict)
    # How the table calls the setting.
    label: str = "default"
    # Over which versions of HTTP a client that waits is refused before any content.
    early: tuple = ()
    # Whether uploads that expect arrive at all.
    works: bool = True

    @contextlib.contextmanager
    def running(self, back, work):
        """Gives the addresses by the version of HTTP."""
        process, addresses = self.start(back, work)
        try:
            yield addresses
        finally:
            stop(process)

    def start(self, back, work, tries=3):
        template, *command = COMMANDS[self.program]
        front, front2 = free_address(), free_address()
        place = work / f"{self.name}-{front.split(':')[1]}"
        place.mkdir(exist_ok=True)
        config = place / template
        config.write_text(self.fill(TEMPLATES / template, front, front2, back, place))
        with open(place / "output.log", "w") as log:
            process = subprocess.Popen([*command, str(config)], stdout=log, stderr=log)
        # Apart from nginx's, one port is enough.
        addresses = {"1.1": front, "2": front2 if self.program == "nginx" else front}
        try:
            for address in addresses.values():
                wait_for(address)
            return process, addresses
        except RuntimeError:
            stop(process)
            # Someone else may have taken the port meanwhile.
            if tries == 1:
                raise
            return self.start(back, work, tries - 1)

    def fill(self, template, front, front2, back, place):
        values = {"front": front, "front2": front2, "back": back}
        values |= {"front_port": front.split(":")[1], "back_port": back.split(":")[1]}
        values |= {"work": place, "modules": APACHE_MODULES, **self.settings}
        pattern = "@([a-z_0-9]+)@"
        return re.sub(pattern, lambda found: str(values.get(found[1], "")), template.read_text())


def stop(process):
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


UNBUFFERED = "proxy_request_buffering off;"
# The size has to be repeated to nginx; the token is asked about without content.
ASKING = f"""{UNBUFFERED}
            auth_request /ask;
            location /r413/ {{
                client_max_body_size 1k;
                proxy_pass http://back;
            }}"""
TIMEOUT = "expect_continue_timeout 5s"
HTTP2_UPSTREAM = """typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}"""
BOTH = ("1.1", "2")
PROXIES = (
    Proxy("haproxy-default", "HAProxy", early=BOTH),
    Proxy(
        "haproxy-buffer",
        "HAProxy",
        {"front_setting": "option http-buffer-request"},
        "`option http-buffer-request`",
    ),
    Proxy("nginx-default", "nginx"),
    Proxy(
        "nginx-stream",
        "nginx",
        {"setting": UNBUFFERED},
        "`proxy_request_buffering off`",
        early=("2",),
    ),
    Proxy(
        "nginx-auth",
        "nginx",
        {"setting": ASKING},
        "that, `auth_request`",
        early=BOTH,
    ),
    Proxy(
        "nginx-expect",
        "nginx",
        {"setting": f"{UNBUFFERED} proxy_set_header Expect $http_expect;"},
        "`proxy_set_header Expect …`",
        early=("2",),
        works=False,
    ),
    Proxy("apache-default", "Apache", early=BOTH),
    Proxy("apache-ping", "Apache", {"setting": "ping=5"}, "`ProxyPass … ping=5`", early=BOTH),
    Proxy("caddy-default", "Caddy"),
    Proxy("caddy-timeout", "Caddy", {"setting": TIMEOUT}, f"`{TIMEOUT}`", early=("1.1",)),
    Proxy(
        "caddy-expect",
        "Caddy",
        {"setting": TIMEOUT, "head_setting": "header_up Expect 100-continue"},
        "that, `header_up Expect …`",
        early=BOTH,
    ),
    Proxy("envoy-default", "Envoy"),
    Proxy(
        "envoy-100",
        "Envoy",
        {"setting": "proxy_100_continue: true"},
        "`proxy_100_continue: true`",
        early=BOTH,
    ),
)
# Before a server that drains unread bodies before it responds, and before one that does not.
DRAIN_FIRST = (
    Proxy("envoy-h1", "Envoy", label="HTTP/1.1 to the server"),
    Proxy("envoy-h2", "Envoy", {"cluster_setting": HTTP2_UPSTREAM}, "HTTP/2 to the server"),
    Proxy("nginx-stream", "nginx", {"setting": UNBUFFERED}, "`proxy_request_buffering off`"),
    Proxy("haproxy-default", "HAProxy"),
)
# With HTTP/2 to the server.
HTTP2_TO_SERVER = (
    Proxy(
        "envoy-h2-100",
        "Envoy",
        {"cluster_setting": HTTP2_UPSTREAM, "setting": "proxy_100_continue: true"},
        "`http2_protocol_options`, `proxy_100_continue: true`",
    ),
    # Before the prefix of the template.
    Proxy(
        "nginx-grpc",
        "nginx",
        {"setting": "location ~ ^/ { grpc_pass grpc://back; }"},
        "`grpc_pass`",
    ),
    Proxy("haproxy-h2", "HAProxy", {"back_setting": "proto h2"}, "`server … proto h2`"),
)

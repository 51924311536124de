"""The clients of the matrix, one a row, and the process in which a row's uploads run."""

import dataclasses
import os
import queue
import signal
import subprocess
import threading
from pathlib import Path

CLIENTS = Path(__file__).parent / "clients"
CASES = {"accepted": "200", "r401": "401", "r413": "413", "r417": "417", "handler401": "401"}
TOKENS = {"r401": "none", "handler401": "none"}
PATHS = {"accepted": "accept"}


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    http: str
    command: tuple
    expect: bool = False
    cases: tuple = tuple(CASES)
    # Whether the client must not be behind a proxy.
    direct: bool = False


def rows(work, programs):
    """Every client, given where `run` has installed and built what they need."""

    def python(file, *variant):
        return (str(work / "venv/bin/python"), str(CLIENTS / file), *variant)

    def node(file, *variant):
        return ("node", str(CLIENTS / file), *variant)

    def rust(variant):
        return (str(programs / "interop_client"), variant)

    go = str(work / "go_client")
    java = ("java", "-cp", str(work / "java"), "Client")
    # A gRPC request has no Content-Length, so that nothing refuses it for its length, and the
    # proxies speak HTTP/1.1 to the server, which gRPC cannot.
    without_413 = tuple(case for case in CASES if case != "r413")
    return [
        Row("http.client", "1.1", python("http_client.py", "0")),
        Row("requests", "1.1", python("requests_client.py")),
        Row("httpx", "1.1", python("httpx_client.py", "h1")),
        Row("aiohttp", "1.1", python("aiohttp_client.py")),
        Row("aiohttp-expect", "1.1", python("aiohttp_client.py"), True),
        Row("botocore", "1.1", python("botocore_client.py"), True),
        Row("go", "1.1", (go, "h1")),
        Row("go-expect", "1.1", (go, "h1"), True),
        Row("node", "1.1", node("node_http.mjs", "keep")),
        Row("node-close", "1.1", node("node_http.mjs", "close")),
        Row("node-expect", "1.1", node("node_http.mjs", "keep"), True),
        Row("node-fetch", "1.1", node("node_fetch.mjs")),
        Row("undici", "1.1", node("undici_client.mjs", "h1")),
        Row("jdk", "1.1", java),
        Row("jdk-expect", "1.1", java, True),
        Row("curl", "1.1", python("tools.py", "curl")),
        Row("curl-expect", "1.1", python("tools.py", "curl"), True),
        Row("hyper", "1.1", rust("hyper")),
        Row("curl-h2", "2", python("tools.py", "curl-h2")),
        Row("curl-h2-expect", "2", python("tools.py", "curl-h2"), True),
        Row("nghttp", "2", python("tools.py", "nghttp")),
        Row("nghttp-expect", "2", python("tools.py", "nghttp"), True),
        Row("go-h2", "2", (go, "h2")),
        Row("go-h2-expect", "2", (go, "h2"), True),
        Row("node-h2", "2", node("node_http2.mjs")),
        Row("node-h2-expect", "2", node("node_http2.mjs"), True),
        Row("undici-h2", "2", node("undici_client.mjs", "h2")),
        Row("httpx-h2", "2", python("httpx_client.py", "h2")),
        Row("hyper-h2", "2", rust("hyper-h2")),
        Row("tonic", "2", rust("tonic"), cases=without_413, direct=True),
    ]


def our_rows(programs):
    """This crate's client, and hyper's, which it wraps."""
    program = str(programs / "interop_client")
    return [
        Row("hyper", "1.1", (program, "hyper")),
        Row("our-client", "1.1", (program, "our-client"), True),
        # One client for all uploads, so that connections are pooled.
        Row("our-client-kept", "1.1", (program, "our-client-kept"), True),
        # The patient socket alone.
        Row("our-client-no-expect", "1.1", (program, "our-client-no-expect")),
    ]


def hasty_rows(work):
    """Clients that set Expect and do not wait for the 100, or not long."""

    def python(file, variant):
        return (str(work / "venv/bin/python"), str(CLIENTS / file), variant)

    return [
        Row("http.client-hasty", "1.1", python("http_client.py", "0"), True),
        Row("http.client-50ms", "1.1", python("http_client.py", "50"), True),
        Row("curl-1ms", "1.1", python("tools.py", "curl-1ms"), True),
    ]


class Process:
    """A row's client, which is started when it is needed and again when it had to be killed."""

    def __init__(self, row, work):
        self.row = row
        self.environment = dict(os.environ, NODE_MODULES=str(work / "npm/node_modules"))
        self.process = None
        self.lines = None

    def upload(self, address, case, size, runs, patience):
        """One outcome a run, but no more runs once two of them have hung."""
        url = f"http://{address}/{PATHS.get(case, case)}/object"
        outcomes = []
        while len(outcomes) < runs and outcomes.count("hang") < 2:
            self.start()
            todo = runs - len(outcomes)
            token = TOKENS.get(case, "s3cr3t")
            job = f"{url} {size} {int(self.row.expect)} {token} {todo}\n"
            self.process.stdin.write(job)
            self.process.stdin.flush()
            for _ in range(todo):
                try:
                    outcome = self.lines.get(timeout=patience) or "died"
                except queue.Empty:
                    outcome = "hang"
                outcomes.append(outcome.strip())
                if outcome in ("hang", "died"):
                    self.stop()
                    break
        return outcomes

    def start(self):
        if self.process:
            return
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            self.row.command,
            stdin=pipe,
            stdout=pipe,
            text=True,
            env=self.environment,
            start_new_session=True,
        )
        self.lines = queue.Queue()
        reader = threading.Thread(
            target=forward, args=(self.process.stdout, self.lines), daemon=True
        )
        reader.start()

    def stop(self):
        if not self.process:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None


def forward(lines, to):
    for line in lines:
        to.put(line)
    to.put("")

"""Does a page see that its upload was refused?

Chromium, without a window, sends uploads of a page by `fetch` to servers that refuse them: a browser
never asks for a 100. The page has to get the status and the message, and not a network error.
"""

import argparse
import collections
import json
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

SIZES = {"10K": 10 << 10, "300K": 300 << 10, "8M": 8 << 20}
# Whether the page comes from the server itself, and which server it is.
SAME_ORIGIN = (("layer", True), ("bare", True))
CROSS_ORIGIN = (("layer", False), ("bare-cors", False), ("cors-inside", False))
# In the wrong order of layers the refusal lacks what lets the page read it.
ERRORS = ("cors-inside",)
DETAILS = {"401": "token", "413": "1024"}

# What one upload comes to: the status and the message, or the network error.
UPLOADS = """
const [url, size, runs, done] = arguments;
(async () => {
    const outcomes = [];
    for (let run = 0; run < runs; run++) {
        try {
            const response = await fetch(url, { method: "PUT", body: new Uint8Array(size) });
            const type = response.headers.get("content-type");
            outcomes.push([response.status, type, await response.text()]);
        } catch (error) {
            outcomes.push([0, null, String(error)]);
        }
    }
    done(outcomes);
})();
"""


class Browser:
    """A session of chromedriver, by the protocol WebDriver."""

    def __init__(self):
        command = ["chromedriver", "--port=0"]
        self.driver = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started = next(line for line in self.driver.stdout if "started successfully" in line)
        self.base = f"http://127.0.0.1:{started.split()[-1].rstrip('.')}/session"
        arguments = ["--headless=new", "--ignore-certificate-errors"]
        # For root, and for containers with little shared memory.
        arguments += ["--no-sandbox", "--disable-dev-shm-usage"]
        wanted = {"goog:chromeOptions": {"args": arguments}, "timeouts": {"script": 120_000}}
        session = self.post("", {"capabilities": {"alwaysMatch": wanted}})
        self.base += "/" + session["sessionId"]
        self.version = session["capabilities"]["browserVersion"]

    def ask(self, request):
        with urllib.request.urlopen(request, timeout=180) as answer:
            return json.load(answer)["value"]

    def post(self, path, what):
        fields = {"content-type": "application/json"}
        return self.ask(urllib.request.Request(self.base + path, json.dumps(what).encode(), fields))

    def open(self, url):
        self.post("/url", {"url": url})

    def run(self, script, *arguments):
        return self.post("/execute/async", {"script": script, "args": arguments})

    def stop(self):
        try:
            self.ask(urllib.request.Request(self.base, method="DELETE"))
        finally:
            self.driver.terminate()
            self.driver.wait(timeout=10)


def measure(browser, origins, options):
    cells = []
    for suffix, http in (("", "1.1"), ("-h2", "2")):
        for server, is_own in SAME_ORIGIN + CROSS_ORIGIN:
            own = origins[server + suffix]
            browser.open(own if is_own else origins["page" + suffix])
            for status in DETAILS:
                for size in options.sizes:
                    url = f"{own}/{status}/a.bin"
                    outcomes = browser.run(UPLOADS, url, SIZES[size], options.runs)
                    cell = {"http": http, "server": server, "origin": "same" if is_own else "cross"}
                    cell |= {"status": status, "size": size, "runs": len(outcomes)}
                    cell["seen"] = sum(is_seen(outcome, status) for outcome in outcomes)
                    told = collections.Counter(f"{status} {text}" for status, _, text in outcomes)
                    cells.append(cell | {"outcomes": dict(told)})
            if "bare" not in server and server not in ERRORS:
                outcomes = browser.run(UPLOADS, f"{own}/200/a.bin", SIZES["8M"], 1)
                if outcomes[0][0] != 200:
                    sys.exit(f"{server}{suffix}: an upload that is let in came to {outcomes}")
    return cells


def is_seen(outcome, status):
    code, media_type, text = outcome
    if str(code) != status or media_type != "application/problem+json":
        return False
    return DETAILS[status] in json.loads(text)["detail"]


def is_wrong(cell):
    if cell["server"] in ERRORS:
        return cell["seen"] > 0
    return cell["server"] == "layer" and cell["seen"] < cell["runs"]


def summary(cells):
    """Refusals seen and uploads, by what matters."""
    sums = {}
    for cell in cells:
        name = f"HTTP/{cell['http']}, {cell['origin']} origin, {cell['server']}"
        seen, runs = sums.get(name, (0, 0))
        sums[name] = seen + cell["seen"], runs + cell["runs"]
    return {name: f"{seen}/{runs}" for name, (seen, runs) in sums.items()}


def main():
    parser = argparse.ArgumentParser(prog="run --browser", description=__doc__)
    parser.add_argument("servers", help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, default=20, help="uploads a cell")
    parser.add_argument("--sizes", type=lambda text: text.split(","), default=list(SIZES))
    parser.add_argument("--json", type=Path, metavar="PATH", help="where the result goes")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    servers = subprocess.Popen([options.servers], stdout=subprocess.PIPE, text=True)
    origins = dict(servers.stdout.readline().split() for _ in range(10))
    browser, began = Browser(), time.monotonic()
    try:
        cells = measure(browser, origins, options)
    finally:
        browser.stop()
        servers.terminate()
        servers.wait(timeout=10)
    result = {
        "command": "tests/interop/run --browser " + " ".join(sys.argv[2:]),
        "date": time.strftime("%Y-%m-%d"),
        "seconds": round(time.monotonic() - began),
        "chromium": browser.version,
        "summary": summary(cells),
        "cells": cells,
    }
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    print(f"Chromium {browser.version}, refusals that the page saw, of uploads:")
    for name, share in result["summary"].items():
        print(f"  {name}: {share}")
    wrong = [cell for cell in cells if is_wrong(cell)]
    for cell in wrong:
        print("wrong:", cell)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

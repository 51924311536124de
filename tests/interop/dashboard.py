"""Does the dashboard of examples/axum_metrics show what has happened?

Starts the example and a Prometheus that scrapes it, plays a counted load, and asks Prometheus for each
query of dashboard.json: none may be without an answer, and the counts must be those of the load.
"""

import argparse
import collections
import math
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples/axum_metrics"))
import dashboard  # noqa: E402

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: uploads
    static_configs: [{{targets: ["{example}"]}}]
"""
KIB, MIB = 1 << 10, 1 << 20
TOKEN = "Authorization: Bearer s3cr3t\r\n"
ASKING = "Expect: 100-continue\r\n"
CLIENTS = 24


class Counts:
    """What must be shown in the end."""

    def __init__(self):
        self.lock = threading.Lock()
        self.requests = collections.Counter()
        self.figures = collections.Counter()

    def add(self, outcome, **figures):
        with self.lock:
            self.requests[outcome] += 1
            self.figures.update(figures)


def exchange(address, name, fields, length, send, stays=False):
    """The statuses that come. Who stays waits until the server has enough of it."""
    host, port = address.split(":")
    statuses = []
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        head = f"PUT /upload/{name} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n"
        connection.sendall(f"{head}{fields}Connection: close\r\n\r\n".encode())
        answers = connection.makefile("rb")
        if ASKING not in fields or status_of(answers, statuses) == 100:
            send(connection, length)
            status_of(answers, statuses)
        if stays:
            answers.read()
    return statuses


def status_of(answers, statuses):
    line = answers.readline()
    status = int(line.split()[1])
    statuses.append(status)
    while line not in (b"\r\n", b""):
        line = answers.readline()
    return status


def at_once(connection, length):
    connection.sendall(bytes(length))


def slowly(connection, length):
    for sent in range(0, length, 128 * KIB):
        connection.sendall(bytes(min(128 * KIB, length - sent)))
        time.sleep(0.04)


# How often of a hundred.
KINDS = {
    "asks": 28,
    "asks, slow": 18,
    "does not ask": 14,
    "asks without token": 10,
    "without token": 8,
    "asks with too much": 5,
    "asks in vain": 3,
    "asks in tongues": 2,
    "asks for what is taken": 7,
    "sends what is taken": 5,
}


def play(kind, address, counts):
    small, large = random.randint(10, 900) * KIB, random.randint(1, 3) * MIB

    def upload(name, fields, length, send, *right, stays=False):
        came = exchange(address, name, fields, length, send, stays)
        if came != list(right):
            raise RuntimeError(f"{kind}: {came} in place of {right}")

    if kind == "asks":
        upload("a", TOKEN + ASKING, small, at_once, 100, 200)
        counts.add("accepted", continued=1)
    elif kind == "asks, slow":
        upload("a", TOKEN + ASKING, large, slowly, 100, 200)
        counts.add("accepted", continued=1)
    elif kind == "does not ask":
        upload("a", TOKEN, small, at_once, 200)
        counts.add("accepted")
    elif kind == "asks without token":
        upload("a", ASKING, large, at_once, 401)
        counts.add("validator 401", spared=large, lingered=1)
    elif kind == "without token":
        upload("a", "", large, slowly, 401)
        counts.add("validator 401", lingered=1, forgotten=large)
    elif kind == "asks with too much":
        upload("a", TOKEN + ASKING, 17 * MIB, at_once, 413, stays=True)
        counts.add("validator 413", spared=17 * MIB, lingered=1)
    elif kind == "asks in vain":
        upload("a", TOKEN + "Expect: 200-ok\r\n", 0, at_once, 417)
        counts.add("unsupported 417")
    elif kind == "asks in tongues":
        upload("a", TOKEN + "Expect: a b\r\n", 0, at_once, 400)
        counts.add("malformed 400")
    elif kind == "asks for what is taken":
        upload("taken.bin", TOKEN + ASKING, small, at_once, 409)
        counts.add("accepted", unread=1, spared=small, lingered=1)
    elif kind == "sends what is taken":
        upload("taken.bin", TOKEN, small, at_once, 409)
        counts.add("accepted", unread=1, lingered=1, forgotten=small)


def load(address, counts, seconds):
    """Waves of uploads, and in the third quarter a client whose token has expired."""
    began = time.monotonic()
    kinds, weights = list(KINDS), list(KINDS.values())
    with ThreadPoolExecutor(CLIENTS) as clients:
        playing = [clients.submit(play, kind, address, counts) for kind in kinds]
        while (passed := time.monotonic() - began) < seconds:
            per_second = 14 + 8 * math.sin(passed / seconds * 6 * math.pi)
            expired = 0.5 < passed / seconds < 0.7 and random.random() < 0.5
            kind = "asks without token" if expired else random.choices(kinds, weights)[0]
            playing.append(clients.submit(play, kind, address, counts))
            time.sleep(1 / per_second)
        for one in playing:
            one.result()


def scraped(address):
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
        return answer.read().decode()


def wait_until(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"{what}: not within {seconds} s")
        time.sleep(0.2)


def differences(prometheus, counts, start, end):
    """What the dashboard does not show as it was."""
    shown, wrong = {}, []
    for panel in dashboard.panels():
        for target, found in zip(panel["targets"], dashboard.results(prometheus, panel, start, end)):
            if not found:
                wrong.append(f"{panel['title']}: nothing for {target['expr']}")
            shown[panel["title"]] = {name: values[-1][1] for name, values in found}
    refused = sum(counts.requests.values()) - counts.requests["accepted"]
    one = {
        "Decided about": sum(counts.requests.values()),
        "Rejected": refused / sum(counts.requests.values()),
        "100 Continue": counts.figures["continued"],
        "Never read": counts.figures["unread"],
        "Spared": counts.figures["spared"],
        "Lingering": 0,
    }
    right = {name: {"": value} for name, value in one.items()}
    right["Since the server started, by outcome"] = dict(counts.requests)
    for name, values in right.items():
        if shown[name] != values:
            wrong.append(f"{name}: {shown[name]} in place of {values}")
    return wrong


def run(options, scratch, started):
    example = subprocess.Popen(
        [options.example, "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
    )
    started.append(example)
    address = example.stdout.readline().strip().removeprefix("listening on http://")
    config = scratch / "prometheus.yml"
    config.write_text(CONFIG.format(example=address))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        own = f"127.0.0.1:{probe.getsockname()[1]}"
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={scratch}/data"]
    command += [f"--web.listen-address={own}", "--log.level=error"]
    started.append(subprocess.Popen(command))
    prometheus = f"http://{own}"

    def is_scraping():
        try:
            return dashboard.ask(prometheus, "query", query="up == 1")
        except OSError:
            return False

    wait_until("Prometheus scrapes", is_scraping)
    counts, start = Counts(), time.time()
    load(address, counts, options.seconds)
    wait_until("nothing lingers", lambda: "\ntower_expect_lingering 0\n" in scraped(address))
    over = time.time()
    latest = "timestamp(tower_expect_lingering)"
    wait_until(
        "a scrape after the load",
        lambda: float(dashboard.ask(prometheus, "query", query=latest)[0]["value"][1]) > over,
    )
    wrong = differences(prometheus, counts, start, time.time())
    lingered, forgotten = "tower_expect_linger_bytes_count", "tower_expect_linger_bytes_sum"
    for name, query in (("lingered", lingered), ("forgotten", forgotten)):
        is_one = dashboard.ask(prometheus, "query", query=f"sum({query})")[0]["value"][1]
        if float(is_one) != counts.figures[name]:
            wrong.append(f"{query}: {is_one} in place of {counts.figures[name]}")
    if options.draw:
        dashboard.draw(prometheus, options.draw, start, time.time())
    queries = sum(len(panel["targets"]) for panel in dashboard.panels())
    print(f"{sum(counts.requests.values())} requests, {queries} queries: {dict(counts.requests)},")
    print(f"{dict(counts.figures)}; {len(wrong)} wrong", *wrong, sep="\n")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(prog="run --dashboard", description=__doc__)
    parser.add_argument("example", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=15, help="of load")
    parser.add_argument("--draw", type=Path, metavar="PNG", help="the dashboard; needs matplotlib")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    started = []
    with tempfile.TemporaryDirectory() as scratch:
        try:
            sys.exit(run(options, Path(scratch), started))
        finally:
            for process in started:
                process.terminate()
                process.wait(timeout=10)


if __name__ == "__main__":
    main()

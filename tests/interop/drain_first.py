"""Behind real proxies: what draining a body before the response gains, and what it costs."""

import argparse
import collections
import contextlib
import itertools
import shutil
import signal
import statistics
import sys
import time
from pathlib import Path

import behind_report
import known
import versions
from matrix import PATIENCE, bytes_of
from proxies import DRAIN_FIRST, Proxy
from rows import CASES, Process, rows
from servers import DRAIN_FIRST as SETTING, Servers

# None expects: a body that the client does not owe is never drained first.
CLIENTS = ("http.client", "node", "go", "curl", "node-h2", "go-h2", "curl-h2")
REJECTED_BY = {"r413": "validator", "handler401": "handler"}
SIZES = ("300K", "8M", "100M")
LEGEND = """In how many uploads the caller saw the rejection, and the median time of an upload, with
`drain_before_response` off and on; `none` is the server without a proxy."""


class Direct(Proxy):
    """No proxy, to compare."""

    @contextlib.contextmanager
    def running(self, back, work):
        yield {"1.1": back, "2": back}


PROXIES = (Direct("direct", "none", label=""), *DRAIN_FIRST)


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    work, programs = options.work.resolve(), options.programs.resolve()
    place = work / "drain-first"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    began = time.monotonic()
    cells = []
    with Servers(work, programs) as servers, contextlib.ExitStack() as stack:
        fronts = {}
        for proxy, is_on in itertools.product(options.proxies, (False, True)):
            name = SETTING[options.origin] if is_on else options.origin
            running = proxy.running(servers.address(name, "1.1"), place)
            fronts[proxy.name, is_on] = stack.enter_context(running)
        for row in rows(work, programs):
            if row.name in options.clients:
                cells += run_row(row, fronts, options, work)
    result = {
        "command": " ".join(["tests/interop/run --drain-first", *sys.argv[5:]]),
        "date": time.strftime("%Y-%m-%d"),
        "seconds": round(time.monotonic() - began),
        "versions": versions.collect(work),
        "origin": options.origin,
        "cells": cells,
    }
    result["failures"] = known.unexplained([cell for cell in cells if cell["drained_first"]])
    options.json.write_text(behind_report.lines_of(result))
    text = markdown(result)
    options.json.with_suffix(".md").write_text(text)
    print(text)
    print("\n".join(map(known.lost, result["failures"])))
    sys.exit(1 if result["failures"] else 0)


def run_row(row, fronts, options, work):
    """Off and on take turns, so that both meet the same load of the machine."""
    cells = []
    client = Process(row, work)
    kinds = itertools.product(options.proxies, REJECTED_BY, options.sizes, (False, True))
    for proxy, case, size, is_on in kinds:
        address = fronts[proxy.name, is_on][row.http]
        runs = max(1, options.runs // 2) if size == "100M" else options.runs
        outcomes, took = [], []
        for _ in range(runs):
            began = time.monotonic()
            outcomes += client.upload(address, case, bytes_of(size), 1, PATIENCE)
            took.append(round((time.monotonic() - began) * 1000))
        counts = collections.Counter(outcomes)
        cell = {
            "client": row.name,
            "http": row.http,
            "server": proxy.name,
            "case": case,
            "size": size,
            "drained_first": is_on,
            "runs": runs,
            "seen": counts[CASES[case]],
            "outcomes": dict(counts),
            "ms": sorted(took),
        }
        bug = known.find(cell)
        cells.append(cell | {"known": bug["name"] if bug else None})
    client.stop()
    print(f"{row.name}: {sum(cell['runs'] for cell in cells)} uploads", file=sys.stderr)
    return cells


def markdown(result):
    named = {key: result["versions"].get(key) for key in ("envoy", "nginx", "haproxy", "curl")}
    sizes = list(dict.fromkeys(cell["size"] for cell in result["cells"]))
    columns = [f"{size}, {state}" for size in sizes for state in ("off", "on")]
    parts = [", ".join(f"{name} {version}" for name, version in named.items()), ""]
    parts += behind_report.table(("proxy", "setting", "client", *columns), lines(result, sizes))
    parts += ["", LEGEND]
    parts += ["", *known.notes(result["cells"])]
    return "\n".join(parts).strip() + "\n"


def lines(result, sizes):
    for proxy, name in itertools.product(PROXIES, CLIENTS):
        place = proxy.name, name
        own = [cell for cell in result["cells"] if (cell["server"], cell["client"]) == place]
        if own:
            kinds = itertools.product(sizes, (False, True))
            yield proxy.program, proxy.label, name, *(share(own, *kind) for kind in kinds)


def share(cells, size, is_on):
    cells = [cell for cell in cells if (cell["size"], cell["drained_first"]) == (size, is_on)]
    median = statistics.median(itertools.chain.from_iterable(cell["ms"] for cell in cells))
    return f"{behind_report.share(cells)}, {median:.0f} ms"


def arguments():
    def names(text):
        return text.split(",")

    by_name = {proxy.name: proxy for proxy in PROXIES}
    parser = argparse.ArgumentParser(prog="run --drain-first", description=__doc__)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--programs", type=Path, help=argparse.SUPPRESS)
    runs = "uploads a cell, of 100M half of them (default 10)"
    parser.add_argument("--runs", type=int, default=10, help=runs)
    parser.add_argument("--origin", choices=SETTING, default="layer", help="default layer")

    def several(option, every, **more):
        help_only = f"of {', '.join(every)}"
        every = list(every)
        parser.add_argument(option, type=names, default=every, metavar="A,B", help=help_only, **more)

    several("--sizes", SIZES)
    several("--clients", CLIENTS)
    several("--only", by_name, dest="proxies")
    parser.add_argument("--json", type=Path, metavar="PATH", help="where the result goes")
    options = parser.parse_args()
    options.proxies = [by_name[name] for name in options.proxies]
    options.json = options.json or options.work / "drain_first.json"
    return options


if __name__ == "__main__":
    main()

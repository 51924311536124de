"""Runs the matrix: does the caller of each client see the status that the server has sent?"""

import argparse
import collections
import json
import signal
import sys
import time
from pathlib import Path

import known
import plot
import report
import versions
from rows import CASES, Process, rows
from servers import EXAMPLES, LINGERING, LINKS, MISSING, SERVERS, Servers

UNITS = {"K": 1 << 10, "M": 1 << 20}
PATIENCE = 20
OTHER = (
    "Without options or with --quick, behind.py and quota run, too; with --proxies first, or"
    " --quota alone, only that."
)


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    work, examples = options.work.resolve(), options.examples.resolve()
    chosen = rows(work, examples)
    if options.clients:
        chosen = [row for row in chosen if row.name in options.clients]
    began = time.monotonic()
    cells = []
    with Servers(work, examples) as servers:
        for row in chosen:
            cells += run_row(row, servers, options, work)
    result = {
        "command": " ".join(["tests/interop/run", *sys.argv[5:]]),
        "date": time.strftime("%Y-%m-%d"),
        "seconds": round(time.monotonic() - began),
        "versions": versions.collect(work),
        "runs": options.runs,
        "sizes": options.sizes,
        "cells": cells,
    }
    result["summary"] = report.summary(cells)
    whole = [cell for cell in cells if cell["server"] in report.WHOLE]
    result["failures"] = known.unexplained(whole)
    options.json.write_text(json.dumps(result, indent=1) + "\n")
    print(report.text(result))
    if {"bare", "layer"} <= result["summary"].keys():
        options.json.with_name("refusals.svg").write_text(plot.svg(result))
    sys.exit(1 if result["failures"] else 0)


def run_row(row, servers, options, work):
    cells = []
    client = Process(row, work)
    try:
        for server in options.servers:
            if row.direct and server not in (*EXAMPLES, *LINKS):
                continue
            if row.http != "1.1" and server in LINGERING:
                continue
            address = servers.address(server, row.http)
            for case in row.cases:
                if case in MISSING.get(server, ()):
                    continue
                for size in options.sizes:
                    cell = run_cell(client, address, server, case, size, options)
                    cells += [cell] if cell else []
            of_server = [cell for cell in cells if cell["server"] == server]
            runs = sum(cell["runs"] for cell in of_server)
            lost = runs - sum(cell["seen"] for cell in of_server)
            print(f"{row.name} x {server}: {runs} uploads, {lost} lost", file=sys.stderr)
    finally:
        client.stop()
    return cells


def run_cell(client, address, server, case, size, options):
    row = client.row
    cell = {"client": row.name, "http": row.http, "expect": row.expect}
    cell |= {"server": server, "case": case, "size": size}
    bug = known.find(cell)
    hangs = bug is not None and bug["hangs"]
    if hangs and options.quick:
        return None
    runs = 1 if hangs else min(options.runs, 3) if case == "accepted" else options.runs
    patience = 4 if hangs else PATIENCE
    outcomes = client.upload(address, case, bytes_of(size), runs, patience)
    counts = collections.Counter(outcomes)
    cell |= {"runs": len(outcomes), "seen": counts[CASES[case]], "outcomes": dict(counts)}
    cell["known"] = bug["name"] if bug else None
    return cell


def bytes_of(size):
    return int(size[:-1]) * UNITS[size[-1]]


def arguments():
    def names(text):
        return text.split(",")

    parser = argparse.ArgumentParser(prog="run", description=__doc__, epilog=OTHER)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--examples", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="the short form for CI")
    parser.add_argument("--runs", type=int, help="uploads a cell (default 10, quick 3)")
    parser.add_argument("--clients", type=names, metavar="A,B", help="only these rows")
    parser.add_argument("--servers", type=names, metavar="A,B", help=f"of {', '.join((*SERVERS, *LINKS))}")
    parser.add_argument("--sizes", type=names, metavar="A,B", help="such as 10K,300K,8M,100M")
    parser.add_argument("--json", type=Path, metavar="PATH", help="where the result goes")
    options = parser.parse_args()
    options.runs = options.runs or (3 if options.quick else 10)
    options.sizes = options.sizes or ["10K", "300K", "8M"] + ([] if options.quick else ["100M"])
    quick_servers = ["layer", "layer-empty", "serve", *LINGERING, "haproxy-layer"]
    options.servers = options.servers or (quick_servers if options.quick else list(SERVERS))
    options.json = options.json or options.work / "matrix.json"
    return options


if __name__ == "__main__":
    main()

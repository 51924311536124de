"""Runs the matrix: does the caller of each client see the status that the server has sent?"""

import argparse
import collections
import json
import signal
import sys
import time
from pathlib import Path

import behind_report
import known
import plot
import report
import versions
from rows import CASES, Process, hasty_rows, our_rows, rows
from servers import EXAMPLES, LINGERING, LINKS, MISSING, ON_DEMAND, OTHERS, PROXIED, SERVERS, SLOW
from servers import Servers

UNITS = {"K": 1 << 10, "M": 1 << 20}
PATIENCE = 20
# Questions of their own. First, clients that expect and have begun to send when they are rejected.
QUESTIONS = {
    # The validator takes longer than they wait.
    "slow": {
        "cases": ["r401"],
        "servers": [*SLOW, "haproxy-slow-layer"],
        "sizes": ["10K", "300K", "900K", "1M", "2M", "8M"],
        "runs": 3,
    },
    # They do not wait.
    "hasty": {
        "cases": ["r401", "r413", "handler401"],
        "servers": ["bare", "layer-axum", "layer-linger", "serve"],
        "sizes": ["300K", "500K", "600K", "700K", "816K", "1M", "2M"],
        "runs": 20,
    },
    # This crate's client before servers of all kinds.
    "our-client": {
        "cases": list(CASES),
        "servers": ["bare", "layer", "serve", "axum-linger", "haproxy-layer", "nginx", *OTHERS],
    },
    # Every client through a proxy on this crate's client and server.
    "our-proxy": {"cases": list(CASES), "servers": list(PROXIED)},
}
ABOUT = {
    "slow": "only clients that expect, and a validator that takes 1.3 s",
    "hasty": "only clients that expect and do not wait",
    "our-client": "only this crate's client, before servers of all kinds",
    "our-proxy": "only what goes through the example `proxy`",
}
# Of these, the table is by client and server.
OURS = ("our-client", "our-proxy")
OTHER = (
    "Without options or with --quick, the questions about this crate's client, behind.py and quota"
    " run, too; with --proxies first, or"
    " --quota alone, only that."
)


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    work, programs = options.work.resolve(), options.programs.resolve()
    chosen = chosen_rows(options, work, programs)
    began = time.monotonic()
    cells = []
    with Servers(work, programs) as servers:
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
    whole = [cell for cell in cells if is_ours(cell, options) or cell["server"] in report.WHOLE]
    result["failures"] = known.unexplained(whole)
    if options.question:
        options.json.write_text(behind_report.lines_of(result))
        ours = options.question in OURS
        table = report.markdown(result) if ours else report.by_size(result)
        options.json.with_suffix(".md").write_text(table)
        print(table)
        print("\n".join(map(known.lost, result["failures"])))
    else:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
        print(report.text(result))
    if not options.question and {"bare", "layer"} <= result["summary"].keys():
        options.json.with_name("refusals.svg").write_text(plot.svg(result))
    sys.exit(1 if result["failures"] else 0)


def is_ours(cell, options):
    """Whether nothing may be lost that no known bug explains, before whatever server."""
    if options.question == "our-client":
        return cell["client"].startswith("our-client")
    return options.question == "our-proxy"


def chosen_rows(options, work, programs):
    every = rows(work, programs)
    if options.question == "slow":
        every = [row for row in every if row.expect]
    if options.question == "hasty":
        every = hasty_rows(work)
    if options.question == "our-client":
        every = our_rows(programs)
    return [row for row in every if row.name in (options.clients or [row.name])]


def run_row(row, servers, options, work):
    cells = []
    client = Process(row, work)
    try:
        for server in options.servers:
            if row.direct and server not in (*EXAMPLES, *ON_DEMAND, *LINKS):
                continue
            if row.http != "1.1" and server in (*LINGERING, "slow-layer-linger"):
                continue
            address = servers.address(server, row.http)
            for case in row.cases:
                if case not in options.cases or case in MISSING.get(server, ()):
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
    parser.add_argument("--programs", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="the short form for CI")
    question = parser.add_mutually_exclusive_group()
    for name, about in ABOUT.items():
        question.add_argument(
            f"--{name}", dest="question", action="store_const", const=name, help=about
        )
    parser.add_argument("--runs", type=int, help="uploads a cell (default 10, quick 3)")
    parser.add_argument("--clients", type=names, metavar="A,B", help="only these rows")
    servers = ", ".join((*SERVERS, *ON_DEMAND, *LINKS, *OTHERS, *PROXIED))
    parser.add_argument("--servers", type=names, metavar="A,B", help=f"of {servers}")
    parser.add_argument("--sizes", type=names, metavar="A,B", help="such as 10K,300K,8M,100M")
    parser.add_argument("--json", type=Path, metavar="PATH", help="where the result goes")
    options = parser.parse_args()
    for name, value in QUESTIONS.get(options.question, {"cases": list(CASES)}).items():
        setattr(options, name, getattr(options, name, None) or value)
    options.runs = options.runs or (3 if options.quick else 10)
    options.sizes = options.sizes or ["10K", "300K", "8M"] + ([] if options.quick else ["100M"])
    quick_servers = ["layer", "layer-empty", "serve", *LINGERING, "haproxy-layer"]
    options.servers = options.servers or (quick_servers if options.quick else list(SERVERS))
    options.json = options.json or options.work / f"{options.question or 'matrix'}.json"
    return options


if __name__ == "__main__":
    main()

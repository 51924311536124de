"""Behind proxies that speak HTTP/2 to the server: which status does the caller of each client see?

A rejection is complete before its upload, and the reset of the stream with NO_ERROR tells the proxy to
stop (RFC 9113 §8.1): a proxy may take that for a failure of the server. Several clients run at once, so
that their streams share connections to the server.
"""

import argparse
import collections
import concurrent.futures
import itertools
import shutil
import signal
import sys
import time
import urllib.request
from pathlib import Path

import behind_report
import known
import versions
from matrix import PATIENCE, bytes_of
from observe import bytes_to_server
from proxies import HTTP2_TO_SERVER
from rows import CASES, Process, rows
from servers import Servers
from tap import Tap

AT_ONCE = ("http.client", "node", "go", "node-h2", "go-h2", "hyper-h2", "tonic")
WAITING = ("node-expect", "go-expect", "go-h2-expect")
CLIENTS = (*AT_ONCE, *WAITING)
# Two by the validator, one by the handler.
REJECTED = ("r401", "r413", "handler401")
SIZES = ("300K", "8M")
SIDE_BY_SIDE = 4
LEGEND = """In how many of the rejected uploads the caller saw the rejection. The server is
`tower_expect::serve`; `bare` is axum on hyper without the layer, whose own rejections are none of gRPC."""


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    work, programs = options.work.resolve(), options.programs.resolve()
    place = work / "http2-upstream"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    began = time.monotonic()
    cells, failures = [], []
    chosen = [row for row in rows(work, programs) if row.name in CLIENTS]
    with Servers(work, programs) as servers:
        for proxy in HTTP2_TO_SERVER:
            if not speaks_http2(proxy, servers.address("serve", "2"), place):
                failures.append(f"{proxy.name} does not speak HTTP/2 to the server")
        for proxy, origin in itertools.product(HTTP2_TO_SERVER, options.origins):
            with proxy.running(servers.address(origin, "2"), place) as addresses:
                cells += uploads(proxy, origin, addresses, chosen, options.runs, work)
            print(f"{proxy.name} before {origin}: done", file=sys.stderr)
    result = {
        "command": " ".join(["tests/interop/run --http2-upstream", *sys.argv[5:]]),
        "date": time.strftime("%Y-%m-%d"),
        "seconds": round(time.monotonic() - began),
        "versions": versions.collect(work),
        "cells": cells,
    }
    own = [cell for cell in cells if cell["origin"] != "bare"]
    result["failures"] = failures + list(map(known.lost, known.unexplained(own)))
    options.json.write_text(behind_report.lines_of(result))
    text = markdown(result)
    options.json.with_suffix(".md").write_text(text)
    print(text)
    print("\n".join(result["failures"]))
    sys.exit(1 if result["failures"] else 0)


def speaks_http2(proxy, back, place):
    tap = Tap(back, hold=0)
    with proxy.running(tap.address, place) as addresses:
        with urllib.request.urlopen(f"http://{addresses['1.1']}/echo/a") as response:
            response.read()
    tap.close()
    return bytes_to_server(tap).startswith(b"PRI * HTTP/2.0\r\n")


def uploads(proxy, origin, addresses, chosen, runs, work):
    def of_client(row):
        client = Process(row, work)
        cases = [case for case in REJECTED if case in row.cases]
        cells = [
            cell(proxy, origin, row, case, size, client, addresses[row.http], runs)
            for case, size in itertools.product(cases, SIZES)
        ]
        client.stop()
        return cells

    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return list(itertools.chain.from_iterable(pool.map(of_client, chosen)))


def cell(proxy, origin, row, case, size, client, address, runs):
    outcomes = client.upload(address, case, bytes_of(size), runs, PATIENCE)
    counts = collections.Counter(outcomes)
    found = {
        "client": row.name,
        "server": proxy.name,
        "origin": origin,
        "case": case,
        "size": size,
        "runs": len(outcomes),
        "seen": counts[CASES[case]],
        "outcomes": dict(counts),
    }
    bug = known.find(found)
    return found | {"known": bug["name"] if bug else None}


def markdown(result):
    named = {key: result["versions"].get(key) for key in ("envoy", "nginx", "haproxy")}
    origins = list(dict.fromkeys(cell["origin"] for cell in result["cells"]))
    columns = [f"{size}, {origin}" for size in SIZES for origin in origins]
    parts = [", ".join(f"{name} {version}" for name, version in named.items()), ""]
    head = ("proxy", "setting", "client", *columns)
    parts += behind_report.table(head, lines(result["cells"], origins))
    own = [cell for cell in result["cells"] if cell["origin"] != "bare"]
    return "\n".join([*parts, "", LEGEND, "", *known.notes(own)]).strip() + "\n"


def lines(cells, origins):
    for proxy, client in itertools.product(HTTP2_TO_SERVER, (*CLIENTS, None)):
        own = [cell for cell in cells if cell["server"] == proxy.name]
        own = [cell for cell in own if client in (None, cell["client"])]
        shares = [
            behind_report.share([c for c in own if (c["size"], c["origin"]) == column])
            for column in itertools.product(SIZES, origins)
        ]
        yield proxy.program, proxy.label, client or "all", *shares


def arguments():
    parser = argparse.ArgumentParser(prog="run --http2-upstream", description=__doc__)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--programs", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="the short form for CI")
    # Of 58 cells each.
    help_runs = "uploads a cell (default 18, so that each proxy sees 1,044; quick 2)"
    parser.add_argument("--runs", type=int, help=help_runs)
    parser.add_argument("--json", type=Path, metavar="PATH", help="where the result goes")
    options = parser.parse_args()
    options.runs = options.runs or (2 if options.quick else 18)
    options.origins = ["serve"] if options.quick else ["serve", "bare"]
    options.json = options.json or options.work / "http2_upstream.json"
    return options


if __name__ == "__main__":
    main()

"""The layer behind real proxies: who sends the 100, what is lost, is anything hidden executed?"""

import argparse
import concurrent.futures
import itertools
import shutil
import signal
import sys
import time
from pathlib import Path

import behind_report
import curls
import known
import observe
import smuggling
import versions
from proxies import PROXIES
from servers import EXAMPLES, Servers
from tap import Tap

# What only waits can run beside much else; what computes cannot.
WAITING, COMPUTING = 8, 3


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    work, programs = options.work.resolve(), options.programs.resolve()
    place = work / "proxies"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    began = time.monotonic()
    with Servers(work, programs) as servers:
        backs = {origin: servers.address(origin, "1.1") for origin in options.servers}
        run = Run(options, backs, place)
        observed = run.each(run.observe, options.proxies, WAITING)
        working = [proxy for proxy in options.proxies if proxy.works]
        cells = run.each(run.uploads, working, COMPUTING)
        attacks = run.each(run.attack, working, WAITING)
    result = {
        "command": " ".join(["tests/interop/run --proxies", *sys.argv[5:]]),
        "date": time.strftime("%Y-%m-%d"),
        "seconds": round(time.monotonic() - began),
        "versions": versions.collect(work) | {"libcurl": curls.LIBRARY},
        "runs": options.runs,
        "observed": observed,
        "cells": list(itertools.chain.from_iterable(cells)),
        "attacks": attacks,
    }
    result["failures"] = behind_report.failures(result)
    if not smuggling.is_sharp():
        result["failures"].append("the probe for hidden requests notices none")
    options.json.write_text(behind_report.compact(result))
    text = behind_report.markdown(result)
    options.json.with_suffix(".md").write_text(text)
    print(text)
    print("\n".join(result["failures"]))
    sys.exit(1 if result["failures"] else 0)


class Run:
    def __init__(self, options, backs, place):
        self.options = options
        self.backs = backs
        self.place = place
        self.files = curls.contents(place)

    def each(self, function, proxies, at_once):
        """The result for each proxy and server, a few of them at once."""
        pairs = list(itertools.product(proxies, self.backs))
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            results = list(pool.map(lambda pair: function(*pair), pairs))
        print(f"{function.__name__}: {len(results)} done", file=sys.stderr)
        return results

    def observe(self, proxy, origin):
        tap = Tap(self.backs[origin], observe.HOLD)
        with proxy.running(tap.address, self.place) as addresses:
            seen = {http: observe.observe(addresses[http], http, tap) for http in addresses}
        tap.close()
        return {"proxy": proxy.name, "origin": origin, "seen": seen}

    def uploads(self, proxy, origin):
        cells = []
        with proxy.running(self.backs[origin], self.place) as addresses:
            for http, address in addresses.items():
                cells += curls.cells(
                    address, http, self.files, self.options.cases, self.options.runs
                )
        for cell in cells:
            cell |= {"server": proxy.name, "origin": origin}
            bug = None if curls.is_grave(cell["outcomes"]) else known.find(cell)
            cell["known"] = bug["name"] if bug else None
        return cells

    def attack(self, proxy, origin):
        back = self.backs[origin]
        name = f"{proxy.name}/{origin}"
        paths, wrong = {}, []
        with proxy.running(back, self.place) as addresses:
            control = smuggling.control(addresses["1.1"], name)
            for http in addresses:
                tried, failed = smuggling.probe(addresses, http, name, self.options.attacked)
                paths |= tried
                wrong += failed
        called = smuggling.called(back)
        if control not in called:
            wrong.append("a request that is not hidden is not noticed")
        executed = [what for path, what in paths.items() if path in called]
        return {
            "proxy": proxy.name,
            "origin": origin,
            "tried": len(paths),
            "executed": executed,
            "wrong": wrong,
        }


def arguments():
    by_name = {proxy.name: proxy for proxy in PROXIES}

    def chosen(text):
        return [by_name[name] for name in text.split(",")]

    parser = argparse.ArgumentParser(prog="run --proxies", description=__doc__)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--programs", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="the short form for CI")
    parser.add_argument("--runs", type=int, help="uploads a cell (default 5, quick 1)")
    help_only = f"of {', '.join(by_name)}"
    parser.add_argument("--only", dest="proxies", type=chosen, metavar="A,B", help=help_only)
    parser.add_argument("--json", type=Path, metavar="PATH", help="where the result goes")
    parser.add_argument(
        "--servers",
        type=lambda text: text.split(","),
        metavar="A,B",
        default=["layer", "serve"],
        help=f"of {', '.join(EXAMPLES)} (default layer,serve)",
    )
    options = parser.parse_args()
    options.runs = options.runs or (1 if options.quick else 5)
    options.cases = ["accepted", "r401", "r413", "r417"] + ["handler401"] * (not options.quick)
    options.attacked = ["r401"] if options.quick else ["r401", "r417", "handler401"]
    options.proxies = options.proxies or PROXIES
    options.json = options.json or options.work / "proxies.json"
    return options


if __name__ == "__main__":
    main()

"""Measures what the layer costs and gives; prints tables and writes JSON.

Subjects: `ends`, what requests cost that are let in; `refusals`, refused uploads, beside other servers;
`serving`, our server beside axum's; `memory` of waiting connections; `compile`, what an application gains
in crates, seconds and bytes. All of them unless named.
"""

import argparse
import json
import os
import resource
from datetime import date
from pathlib import Path

import compiling
import drawing
import ends
import memory
import refusals
import serving
import versions
from servers import Programs

HERE = Path(__file__).parent
SUBJECTS = {"ends": ends, "refusals": refusals, "serving": serving, "memory": memory, "compile": compiling}


def main():
    options = arguments()
    allow_many_files()
    programs = Programs(options.work)
    results = json.loads(options.json.read_text()) if options.json.exists() else {}
    for name in options.subjects or SUBJECTS:
        subject = SUBJECTS[name]
        before = os.getloadavg()[0]
        measured = subject.measure(programs, options.quick)
        results[name] = {
            "date": date.today().isoformat(),
            "quick": options.quick,
            "load average before": round(before, 2),
            "versions": versions.collect(),
            **measured,
        }
        print(subject.table(measured), flush=True)
        options.json.write_text(json.dumps(rounded(results), indent=1) + "\n")
    if "refusals" in results:
        options.json.with_name("refusals.svg").write_text(drawing.svg(results["refusals"]))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="subject", help=", ".join(SUBJECTS))
    parser.add_argument("--quick", action="store_true", help="few and short rounds")
    parser.add_argument(
        "--json", type=Path, help="where the results go: here, or to the work directory if quick"
    )
    parser.add_argument("--work", type=Path, default=Path("target/load"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := set(options.subjects) - set(SUBJECTS):
        parser.error(f"no such subject: {', '.join(unknown)}")
    options.json = options.json or (options.work if options.quick else HERE) / "results.json"
    return options


def rounded(value):
    """The same with the digits that mean something."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return value


def allow_many_files():
    """As many as the system lets this process and its children have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()

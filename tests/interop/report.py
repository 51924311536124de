"""What a run has shown: sums and the table for people."""

import known
from servers import LINGERING, LINKS, OTHERS, PROXIED, SERVERS, SLOW

# Behind these, no refusal may be lost.
WHOLE = (
    *("layer", "layer-empty", "serve", "haproxy-layer", *LINGERING, *LINKS),
    *(*SLOW, "haproxy-slow-layer"),
)


def summary(cells):
    """By server and client: refusals seen, and accepted uploads seen."""
    table = {}
    for cell in cells:
        row = table.setdefault(cell["server"], {}).setdefault(
            cell["client"],
            {"http": cell["http"], "seen": 0, "runs": 0, "accepted_seen": 0, "accepted": 0},
        )
        accepted = cell["case"] == "accepted"
        row["accepted_seen" if accepted else "seen"] += cell["seen"]
        row["accepted" if accepted else "runs"] += cell["runs"]
    return table


def text(result):
    parts = []
    for http in ("1.1", "2"):
        table = rows_of(result, http)
        if len(table) > 1:
            title = f"HTTP/{http}: the caller saw the refusal, n of m"
            parts += [title, *aligned(table), ""]
    if any(" A " in part for part in parts):
        parts += ["A: accepted uploads whose 200 the caller saw, n of m, where not all.", ""]
    parts += known.notes(result["cells"])
    parts += map(known.lost, result["failures"])
    return "\n".join(parts)


def markdown(result):
    """The same tables in Markdown."""
    lines = []
    for http in ("1.1", "2"):
        head, *rows = rows_of(result, http)
        head[0] = f"HTTP/{http}"
        if rows:
            lines += [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
            lines.append("")
    return "\n".join([*lines, *known.notes(result["cells"])]).strip() + "\n"


def rows_of(result, http):
    every = (*SERVERS, *LINKS, *OTHERS, *PROXIED)
    servers = [server for server in every if server in result["summary"]]
    names = dict.fromkeys(cell["client"] for cell in result["cells"] if cell["http"] == http)
    table = [["client", *servers]]
    for name in names:
        shown = [show(result, server, name) for server in servers]
        table.append([name, *shown])
    return table


def show(result, server, name):
    sums = result["summary"][server].get(name)
    if not sums or not sums["runs"]:
        return "-"
    shown = f"{sums['seen']}/{sums['runs']}"
    if sums["accepted_seen"] < sums["accepted"]:
        shown += f" A {sums['accepted_seen']}/{sums['accepted']}"
    excused = any(
        cell["known"] and cell["seen"] < cell["runs"]
        for cell in result["cells"]
        if cell["client"] == name and cell["server"] == server
    )
    return shown + "*" * excused


def by_size(result):
    """In how many of the uploads of each size the caller saw the rejection, in Markdown."""
    sums = {}
    for cell in result["cells"]:
        sizes = sums.setdefault((cell["server"], cell["client"]), {})
        seen, runs = sizes.get(cell["size"], (0, 0))
        sizes[cell["size"]] = seen + cell["seen"], runs + cell["runs"]
    table = [["server", "client", *result["sizes"]]]
    table.append(["---"] * len(table[0]))
    for (server, client), sizes in sorted(sums.items()):
        table.append([server, client, *("{}/{}".format(*sizes[size]) for size in result["sizes"])])
    notes = known.notes(result["cells"])
    return "\n".join([*(f"| {' | '.join(row)} |" for row in table), "", *notes]).strip() + "\n"


def aligned(table):
    widths = [max(map(len, column)) for column in zip(*table)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in table]

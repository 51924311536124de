"""Draws how many refusals a second each server gets across, and how much its clients sent in vain."""

import sys

from refusals import LAYER, SERVERS
from servers import HERE

sys.path.append(str(HERE.parents[1] / "tests/interop"))

from plot import ROW, STYLE, rect, text  # the look of the other drawing

WIDTH = 860
LABEL = 220
NUMBERS = 330
BAR = WIDTH - LABEL - NUMBERS
CLIENTS = {
    "waiting": "The client asks first, and waits for the 100",
    "watching": "The client sends at once, and stops when an answer comes",
    "blind": "The client sends all before it looks",
}


def svg(measured):
    parts, y = legend(), 44
    for client, servers in measured["clients"].items():
        parts.append(text(0, y + 16, CLIENTS[client], "head"))
        y += ROW
        most = max(sums["refusals/s"] for sums in servers.values()) or 1
        for name, sums in servers.items():
            parts += row(name, sums, most, y)
            y += ROW - 4
        y += 14
    description = "Refusals a second that clients got to see, server by server"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" '
        f'viewBox="0 0 {WIDTH} {y}" role="img" aria-label="{description}">\n'
        f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def legend():
    head = "Refusals a second that the client got to see, of uploads of 100 MiB"
    return [text(0, 16, head, "head")]


def row(name, sums, most, y):
    kind = "layer" if name == LAYER else "bare"
    share = sums["refusals/s"] / most
    parts = [text(0, y + 15, SERVERS[name]), rect(LABEL, y + 4, BAR, 13, "track")]
    if share:
        parts.append(rect(LABEL, y + 4, max(1, round(BAR * share, 1)), 13, kind))
    shown = [f"{sums['refusals/s']:,.0f}/s", f"seen {seen(sums)}", sent(sums)]
    if "p99_us" in sums:
        shown.insert(1, f"p99 {sums['p99_us'] / 1000:,.1f} ms")
    parts.append(text(LABEL + BAR + 12, y + 15, ", ".join(shown)))
    return parts


def seen(sums):
    share = sums["seen"] / sums["attempts"]
    return f"{share:.0%}" if share in (0, 1) else f"{share:.1%}"


def sent(sums):
    size = sums["sent a refusal"]
    return f"{size / (1 << 20):,.1f} MiB sent" if size else "nothing sent"

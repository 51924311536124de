"""Draws which share of the refusals each client gets to see, without the layer and with it.

    plot.py MATRIX.json REFUSALS.svg
"""

import json
import sys
from html import escape
from pathlib import Path

WIDTH = 820
LABEL = 130
NUMBERS = 180
BAR = WIDTH - LABEL - NUMBERS
ROW = 26
SERVERS = ("bare", "layer")

# The colours hold on white and on dark pages; the text takes that of the page's scheme.
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.head { font-weight: 600 }
.track { fill: #8c959f; fill-opacity: .22 }
.bare { fill: #c2622d }
.layer { fill: #2f81c7 }
@media (prefers-color-scheme: dark) { text { fill: #d0d7de } }
"""


def svg(result):
    summary = result["summary"]
    parts, y = legend(), 44
    for http in ("1.1", "2"):
        clients = [name for name, sums in summary["bare"].items() if sums["http"] == http]
        clients = [name for name in clients if name in summary["layer"]]
        if not clients:
            continue
        parts.append(text(0, y + 16, f"HTTP/{http}", "head"))
        y += ROW
        for name in clients:
            parts += row(name, [summary[server][name] for server in SERVERS], y)
            y += ROW
        y += 10
    for note in notes(summary):
        parts.append(text(0, y + 14, note))
        y += ROW
    description = "Share of refusals that the caller of each client saw, without and with the layer"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" '
        f'viewBox="0 0 {WIDTH} {y}" role="img" aria-label="{description}">\n'
        f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def legend():
    return [
        text(0, 16, "Refused uploads whose refusal the caller got to see", "head"),
        rect(420, 5, 14, 13, "bare"),
        text(440, 16, "axum"),
        rect(500, 5, 14, 13, "layer"),
        text(520, 16, "axum with ExpectLayer, defaults"),
    ]


def notes(summary):
    """Clients that need refusals without content."""
    for name, sums in summary["layer"].items():
        empty = summary.get("layer-empty", {}).get(name, sums)
        if sums["seen"] / max(1, sums["runs"]) < empty["seen"] / max(1, empty["runs"]):
            yield f"{name} with refusals without content: {empty['seen']}/{empty['runs']}"


def row(name, sums, y):
    parts = [text(0, y + 15, name)]
    for index, (server, counts) in enumerate(zip(SERVERS, sums)):
        top = y + 2 + index * 10
        share = counts["seen"] / max(1, counts["runs"])
        parts.append(rect(LABEL, top, BAR, 9, "track"))
        if share:
            parts.append(rect(LABEL, top, round(BAR * share, 1), 9, server))
    shown = " → ".join(f"{counts['seen']}/{counts['runs']}" for counts in sums)
    parts.append(text(LABEL + BAR + 12, y + 15, shown))
    return parts


def text(x, y, content, kind=""):
    kind = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{kind}>{escape(content)}</text>'


def rect(x, y, width, height, kind):
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="2" class="{kind}"/>'


if __name__ == "__main__":
    matrix, drawing = map(Path, sys.argv[1:])
    drawing.write_text(svg(json.loads(matrix.read_text())))

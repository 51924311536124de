"""Draws what the layer costs per request beside its neighbours, in instructions.

    plot.py RESULTS.json COST.svg
"""

import json
import sys
from html import escape
from pathlib import Path

WIDTH = 820
LABEL = 290
NUMBERS = 190
BAR = WIDTH - LABEL - NUMBERS
ROW = 22
BARE = "bare service"

# The colours hold on white and on dark pages; the text takes that of the page's scheme.
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.head { font-weight: 600 }
.track { fill: #8c959f; fill-opacity: .22 }
.other { fill: #c2622d }
.layer { fill: #2f81c7 }
@media (prefers-color-scheme: dark) { text { fill: #d0d7de } }
"""


def svg(results):
    rows = results["above_bare"]
    scenarios = dict.fromkeys(row["scenario"] for row in rows)
    parts, y = legend(), 36
    for scenario in scenarios:
        parts.append(text(0, y + 16, scenario, "head"))
        y += ROW
        layers = [row for row in rows if row["scenario"] == scenario and row["layer"] != BARE]
        longest = max(row["instructions"] for row in layers)
        for row in layers:
            parts += bar(row, longest, y)
            y += ROW
        y += 8
    description = "Instructions that each layer adds to a request, above the bare service"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" '
        f'viewBox="0 0 {WIDTH} {y}" role="img" aria-label="{description}">\n'
        f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def legend():
    return [
        text(0, 16, "Instructions per request, above the bare service", "head"),
        rect(370, 5, 14, 13, "layer"),
        text(390, 16, "ExpectLayer"),
        rect(490, 5, 14, 13, "other"),
        text(510, 16, "other layers"),
        text(620, 16, "each group to its own scale"),
    ]


def bar(row, longest, y):
    kind = "layer" if row["layer"].startswith("ExpectLayer") else "other"
    length = max(1, round(BAR * row["instructions"] / longest, 1))
    count = round(row["allocations"])
    allocations = f"{count} allocation{'' if count == 1 else 's'}"
    return [
        text(12, y + 15, row["layer"]),
        rect(LABEL, y + 4, BAR, 13, "track"),
        rect(LABEL, y + 4, length, 13, kind),
        text(LABEL + BAR + 12, y + 15, f"{round(row['instructions']):,}, {allocations}"),
    ]


def text(x, y, content, kind=""):
    kind = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{kind}>{escape(content)}</text>'


def rect(x, y, width, height, kind):
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="2" class="{kind}"/>'


if __name__ == "__main__":
    results, drawing = map(Path, sys.argv[1:])
    drawing.write_text(svg(json.loads(results.read_text())))

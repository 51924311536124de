"""Losses that bugs elsewhere explain: which cells they concern, and how large they may be."""

import json
from fnmatch import fnmatch
from pathlib import Path

KNOWN = json.loads((Path(__file__).parent / "known.json").read_text())


def find(cell):
    return next((entry for entry in KNOWN if is_about(entry, cell)), None)


def is_about(entry, cell):
    def fits(key):
        return any(fnmatch(cell[key], pattern) for pattern in entry[key])

    return fits("client") and fits("server") and fits("case")


def unexplained(cells):
    """Cells with losses that no known bug explains, or not that many."""
    shares = {entry["name"]: entry["at_most"] for entry in KNOWN}
    explained, lost = [], []
    for cell in cells:
        if cell["seen"] < cell["runs"]:
            (explained if cell["known"] else lost).append(cell)
    for cell in explained:
        alike = [
            other
            for other in cells
            if other["known"] == cell["known"] and other["server"] == cell["server"]
        ]
        runs = sum(other["runs"] for other in alike)
        missing = runs - sum(other["seen"] for other in alike)
        # One loss in a short run says nothing about the share.
        if missing > max(2, shares[cell["known"]] * runs):
            lost.append(cell)
    return lost


def notes(cells):
    """What explains the losses of these cells, and the cells that nothing explains."""
    used = {cell["known"] for cell in cells if cell["seen"] < cell["runs"]}
    for entry in KNOWN:
        if entry["name"] in used:
            issue = entry["issue"] or "no issue found"
            yield f"* {entry['why']} ({issue}); avoided by {entry['avoided_by']}."


def lost(cell):
    place = "{client} x {server}, {case} {size}".format(**cell)
    return f"LOST {place}: {cell['seen']} of {cell['runs']}, {cell['outcomes']}"

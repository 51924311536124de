#!/usr/bin/env python3
"""Draws dashboard.json as Grafana would lay it out, with what a Prometheus answers to its queries.

    dashboard.py http://127.0.0.1:9090 dashboard.png [--minutes 5]

Needs matplotlib, which brings Pillow.
"""

import argparse
import json
import math
import time
import urllib.parse
import urllib.request
from pathlib import Path

DASHBOARD = Path(__file__).with_name("dashboard.json")
# What Grafana puts in by itself. The interval is to be four times that of the scrapes.
VARIABLES = {"$__rate_interval": "10s", "$job": ".*"}
COLUMNS, ROW_INCHES = 24, 0.33


def panels():
    return json.loads(DASHBOARD.read_text())["panels"]


def title(panel):
    return panel["title"]


def results(prometheus, panel, start, end):
    """What each query of the panel gives: pairs of a legend and the values by their time."""
    found = []
    for target in panel["targets"]:
        expression = target["expr"]
        for name, value in VARIABLES.items():
            expression = expression.replace(name, value)
        if target.get("instant"):
            answer = ask(prometheus, "query", query=expression, time=end)
            series = [(one["metric"], [one["value"]]) for one in answer]
        else:
            step = max(1, (end - start) / 240)
            span = {"start": start, "end": end, "step": step}
            answer = ask(prometheus, "query_range", query=expression, **span)
            series = [(one["metric"], one["values"]) for one in answer]
        named = [(legend(target, labels), numbers(values)) for labels, values in series]
        found.append([(name, values) for name, values in named if values])
    return found


def ask(prometheus, path, **parameters):
    query = urllib.parse.urlencode(parameters)
    with urllib.request.urlopen(f"{prometheus}/api/v1/{path}?{query}", timeout=10) as answer:
        return json.load(answer)["data"]["result"]


def legend(target, labels):
    text = target["legendFormat"]
    for name, value in labels.items():
        text = text.replace("{{" + name + "}}", value)
    return text.replace("{{status}}", "").strip()


def numbers(values):
    pairs = [(float(at), float(value)) for at, value in values]
    return [(at, value) for at, value in pairs if not math.isnan(value)]


def text(value, unit):
    if unit == "percentunit":
        return f"{100 * value:.3g} %"
    if unit == "s":
        return f"{value:.3g} s" if value >= 1 else f"{1000 * value:.3g} ms"
    if unit in ("bytes", "binBps"):
        power = min(4, int(math.log(max(value, 1), 1024)))
        name = ("B", "KiB", "MiB", "GiB", "TiB")[power] + ("/s" if unit == "binBps" else "")
        return f"{value / 1024**power:.3g} {name}"
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"


def draw(prometheus, path, start, end):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from PIL import Image

    pyplot.rcParams |= {"font.size": 7, "axes.titlesize": 8, "legend.fontsize": 6, "lines.linewidth": 1}
    pyplot.rcParams |= {"axes.spines.top": False, "axes.spines.right": False}
    every = panels()
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in every)
    figure = pyplot.figure(figsize=(12, rows * ROW_INCHES))
    for panel in every:
        place = panel["gridPos"]
        margin = 0.1 if panel["type"] == "bargauge" else 0.06
        left, width = place["x"] / COLUMNS + margin, place["w"] / COLUMNS - margin - 0.01
        bottom = 1 - (place["y"] + place["h"] - 1) / rows
        height = (place["h"] - 2.2) / rows
        axes = figure.add_axes((left, bottom, width, height))
        axes.set_title(title(panel), loc="left", weight="bold")
        unit = panel["fieldConfig"]["defaults"]["unit"]
        found = sum(results(prometheus, panel, start, end), [])
        DRAW[panel["type"]](axes, found, unit, panel, start)
    figure.savefig(path, dpi=90)
    # A third of the size, and nothing lost that one could see.
    Image.open(path).quantize(64).save(path, optimize=True)


def draw_stat(axes, found, unit, _panel, _start):
    axes.axis("off")
    axes.text(0, 0.45, text(found[0][1][-1][1], unit), size=18, va="center")


def draw_bars(axes, found, unit, _panel, _start):
    found = sorted(found, key=lambda one: one[1][-1][1])
    values = [values[-1][1] for _, values in found]
    bars = axes.barh([name for name, _ in found], values, color="tab:blue")
    axes.bar_label(bars, [text(value, unit) for value in values], padding=3)
    axes.xaxis.set_visible(False)


def draw_lines(axes, found, unit, panel, start):
    if panel["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "normal":
        times = sorted({at for _, values in found for at, _ in values})
        heights = [[dict(values).get(at, 0) for at in times] for _, values in found]
        names = [name for name, _ in found]
        axes.stackplot([at - start for at in times], heights, labels=names, alpha=0.8)
    else:
        for name, values in found:
            axes.plot([at - start for at, _ in values], [value for _, value in values], label=name)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda value, _: text(value, unit))
    seconds(axes)
    axes.legend(loc="upper left", ncols=3, framealpha=0.6)


def draw_heatmap(axes, found, _unit, panel, start):
    """The buckets of Prometheus count what is below them; Grafana shows what is in them."""
    found = sorted(found, key=lambda one: float(one[0]))
    times = sorted({at for _, values in found for at, _ in values})
    below, cells = [0] * len(times), []
    for _, values in found:
        upto = [dict(values).get(at, 0) for at in times]
        cells.append([max(0, count - less) for count, less in zip(upto, below)])
        below = upto
    across = [at - start for at in times]
    axes.pcolormesh(across, range(len(cells)), cells, cmap="Blues", norm="symlog", shading="nearest")
    unit = panel["options"]["yAxis"]["unit"]
    finite = [math.isfinite(float(name)) and text(float(name), unit) for name, _ in found]
    axes.set_yticks(range(len(cells)), [f"≤ {bound}" if bound else "more" for bound in finite])
    seconds(axes)


def seconds(axes):
    axes.set_xlabel("seconds", labelpad=1)


DRAW = {"stat": draw_stat, "bargauge": draw_bars, "timeseries": draw_lines, "heatmap": draw_heatmap}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prometheus")
    parser.add_argument("picture", type=Path)
    parser.add_argument("--minutes", type=float, default=5)
    options = parser.parse_args()
    now = time.time()
    draw(options.prometheus, options.picture, now - 60 * options.minutes, now)


if __name__ == "__main__":
    main()

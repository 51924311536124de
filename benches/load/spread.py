"""Middle and spread of what was measured in several rounds."""

from statistics import median, quantiles


def spread(values):
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return {"median": middle, "quartiles": [low, high]}


def medians(runs):
    """Of each key, over rounds that have the same keys."""
    return {key: median(run[key] for run in runs) for key in runs[0]}


def ratio(value):
    low, high = value["quartiles"]
    return f"{value['median']:.3f} ({low:.3f}–{high:.3f})"

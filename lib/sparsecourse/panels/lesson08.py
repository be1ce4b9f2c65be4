"""Panel of lesson 08: how many seeds a comparison needs."""

import functools

from sparsecourse import measure, palette, plots, tables
from sparsecourse.panels.building import build, dropdown, slider


@functools.cache
def recorded_accuracies():
    """Test accuracies of the recorded sweep on MNIST-1D, 256 units: data frame method, level, seed, test_accuracy."""
    table = tables.read("results", "three_ways_256")
    return table[(table["width"] == 256) & ~table["shuffled"] & (table["method"] != "L1")]


def panel():
    """Take more and more of the recorded seeds into account, and watch the intervals of all ways."""
    levels = [(f"{percent} %", percent / 100) for percent in (50, 70, 80, 90, 95)]
    return build({"seeds": slider("seeds", 2, 2, 10, 1), "level": dropdown("sparsity", levels, 0.9)}, picture)


def picture(seeds, level):
    """Test accuracy of every way at one sparsity, with intervals from the first seeds.

    Args:
        seeds: how many of the recorded seeds to take, from 2 to 10.
        level: sparsity asked for.
    """
    table = recorded_accuracies()
    shown = table[table["level"].isin([0, level]) & (table["seed"] < seeds)]
    summary = measure.intervals(shown, "method", "test_accuracy").sort_values("mean", ascending=False)
    fig, ax = plots.figure(6.5, 2.9, margins={"left": 0.15, "right": 0.97, "top": 0.97, "bottom": 0.18})
    plots.ranked(ax, summary, "method", palette.METHOD_STYLES)
    ax.set(xlabel="test accuracy", xlim=(0.4, 1.0))
    first, second = summary.iloc[0], summary.iloc[1]
    apart = "do not overlap" if first["low"] > second["high"] else "overlap"
    words = (
        f"{seeds} seeds: {first['method']} {first['mean']:.3f} ({first['low']:.3f} to {first['high']:.3f}), "
        f"{second['method']} {second['mean']:.3f} ({second['low']:.3f} to {second['high']:.3f}). These two {apart}."
    )
    alt = f"Test accuracy of a dense and {len(summary) - 1} sparse networks at {level:.0%} with 95 % intervals. {words}"
    return fig, alt, words

"""Numbers on axes: bars, points, curves, histograms."""

import numpy as np
from matplotlib.ticker import LogLocator, PercentFormatter

from sparsecourse import palette
from sparsecourse.plots.canvas import NAME, subscript
from sparsecourse.plots.matrices import weight_scale

EARLY = 0.8  # a line that ends left of this fraction of the axes' width ends early


def terms(ax, W, x, reach=None):
    """Draw what each input adds to each output: a bar for every term W[i, j] x[j], and a diamond for their sum.

    A bar has the colour that its weight has in a diagram or matrix of W.

    Args:
        W: weights, (out, in).
        x: inputs, (in,).
        reach: the largest magnitude an input may have, so that the axis stays while a panel moves the inputs; None fits
            the axis to these terms.
    """
    W, x = np.asarray(W, dtype=float), np.asarray(x, dtype=float)
    n_out, n_in = W.shape
    height = 0.8 / (n_in + 1)  # a slot for each term, and one below them for the sum
    scale = weight_scale([W])
    for j, column in enumerate((W * x).T):
        places = np.arange(n_out) - 0.4 + (j + 0.5) * height
        bars = ax.barh(places, column, height * 0.9, color=palette.WEIGHTS(scale(W[:, j])))
        names = [f"W{subscript(i + 1)}{subscript(j + 1)} x{subscript(j + 1)}" for i in range(n_out)]
        ax.bar_label(bars, names, padding=3, fontsize=7, color=palette.QUIET, in_layout=False)
    below = np.arange(n_out) + 0.4 - 0.5 * height
    ax.scatter(W @ x, below, marker="D", s=30, color=palette.INK, zorder=3, label="their sum y")
    ax.axvline(0, color=palette.INK, linewidth=0.8)
    ax.set_yticks(np.arange(n_out), [f"y{subscript(i + 1)}" for i in range(n_out)])
    if reach is None:
        drawn = np.concatenate([(W * x).ravel(), W @ x, [0]])
        room = 0.15 * np.ptp(drawn) or 1  # for the names of the bars, on both sides
        low, high = drawn.min() - room, drawn.max() + room
    else:
        high = 1.1 * reach * np.abs(W).sum(axis=1).max()
        low = -high
    ax.set(xlim=(low, high), ylim=(n_out - 0.45, -0.55), xlabel="contribution")
    ax.legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 1))
    return ax


def labelled_points(ax, x, y, names):
    """Draw points, each with its name on its right; ``x``, ``y`` and ``names`` have one entry a point."""
    ax.plot(x, y, "o", color=palette.BLUE, markersize=5)
    for name, *place in zip(names, x, y, strict=True):
        ax.annotate(name, place, xytext=(5, 2), textcoords="offset points", fontsize=8, color=palette.INK)
    return ax


def degrees(ax, degrees_by_name, styles):
    """Draw how many units have at least k connections, on two logarithmic axes.

    Args:
        degrees_by_name: {label: degrees (neurons,), or (draws, neurons) of repeated draws, drawn as a band}.
        styles: {label: colour}.
    """
    n, largest = 1, 1
    for label, values in degrees_by_name.items():
        draws = np.atleast_2d(values)
        n, largest = max(n, draws.shape[1]), max(largest, draws.max())
        k = np.arange(1, draws.max() + 1)
        fractions = (draws[:, :, None] >= k).mean(axis=1)
        if len(draws) > 1:
            low, high = np.percentile(fractions, [2.5, 97.5], axis=0)
            ax.fill_between(k, low, high, color=styles[label], alpha=0.25, linewidth=0, step="mid")
        ax.step(k, fractions.mean(axis=0), where="mid", color=styles[label], linewidth=1.8, label=label)
    ax.set(xscale="log", yscale="log", xlabel="k connections", ylabel="neurons with at least k, %")
    ax.set(xlim=(0.9, 1.2 * largest), ylim=(0.5 / n, 1.5))
    _plain_numbers(ax)
    ax.yaxis.set_major_formatter(PercentFormatter(1, symbol=""))
    ax.legend(frameon=False, fontsize=9)
    return ax


def falling(ax, label, high, low):
    """Give the horizontal axis a label and let it fall on a logarithmic scale from ``high`` at the left to ``low``."""
    ax.set(xscale="log", xlim=(high, low), xlabel=label)
    _plain_numbers(ax)
    return ax


def cheapest(wanted, strength, power):
    """The weight at which error and price of :func:`priced` are least together; the arguments are the same."""
    return np.sign(wanted) * max(abs(wanted) - strength, 0) if power == 1 else wanted / (1 + strength)


def priced(ax, wanted, strength, power):
    """Draw what one weight costs: its error (w - wanted)² / 2, the price λ |w|^p / p, and their sum with its minimum.

    Args:
        wanted: the weight at which the error is zero.
        strength: λ.
        power: p, 1 for L1 or 2 for L2.
    """
    w = np.linspace(-1, 2, 301)
    error, price = (w - wanted) ** 2 / 2, strength * np.abs(w) ** power / power
    best = cheapest(wanted, strength, power)
    cost = (best - wanted) ** 2 / 2 + strength * abs(best) ** power / power
    ax.plot([0, 0], [0, 2.2], color=palette.FAINT, linewidth=0.8)
    ax.plot(w, error, color=palette.QUIET, linestyle="--", linewidth=1.2, label="error")
    ax.plot(w, price, color=palette.QUIET, linestyle=":", linewidth=1.4, label="price")
    colour = palette.METHOD_STYLES["L1"][0] if power == 1 else palette.BLUE
    ax.plot(w, error + price, color=colour, linewidth=2, label="sum")
    ax.plot([best, best], [-0.12, cost], color=palette.INK, linewidth=0.8)
    ax.plot(best, cost, "o", color=palette.INK, markersize=7, zorder=3)
    ax.annotate(f"w = {best:.2f}", (best, -0.12), xytext=(0, -10), **NAME)
    ax.set(xlim=(-1, 2), ylim=(-0.35, 2.2), xlabel="weight w", title="L1: λ |w|" if power == 1 else "L2: λ w² / 2")
    return ax


def cut_histogram(ax, weights, kept):
    """Draw a histogram of weights, those that are cut in grey.

    Args:
        weights: array of any shape.
        kept: mask of the same shape.
    """
    weights, kept = np.ravel(weights), np.ravel(kept).astype(bool)
    edges = np.linspace(-1, 1, 81) * np.abs(weights).max()
    outline = {"histtype": "stepfilled", "edgecolor": palette.INK, "linewidth": 0.5}
    ax.hist(weights[kept], edges, color=palette.BLUE, label="kept", **outline)
    ax.hist(weights[~kept], edges, color=palette.FAINT, label="cut", hatch="////", **outline)
    ax.legend(frameon=False, fontsize=9, loc="upper left")
    ax.set(xlabel="weight", ylabel="number of weights", ylim=(0, None))
    return ax


def curves(ax, summary, x, line, styles=None, dashed=()):
    """Draw means of repeated runs as lines with their intervals as bands, each line named at its right end.

    Set the scales and limits of the axes before: the names are placed by them.

    Args:
        summary: data frame from ``measure.intervals``: x, line, mean, low, high.
        x: its column for the horizontal axis.
        line: its column that names the lines.
        styles: {name of a line: (colour, marker)}; None takes ``palette.METHOD_STYLES``.
        dashed: names of lines to draw dashed with open markers.
    """
    styles = palette.METHOD_STYLES if styles is None else styles
    ends = []
    for name, points in summary.groupby(line, sort=False):
        points = points.sort_values(x)
        colour, marker = styles[name]
        look = {"linestyle": "--", "markerfacecolor": palette.PAPER} if name in dashed else {}
        ax.fill_between(points[x], points["low"], points["high"], color=colour, alpha=0.2, linewidth=0)
        ax.plot(points[x], points["mean"], color=colour, marker=marker, markersize=5, linewidth=1.6, **look)
        points = points[::-1] if ax.xaxis_inverted() else points
        rises = points["mean"].iloc[-1] > points["mean"].iloc[-2:].iloc[0]
        ends.append((points[x].iloc[-1], points["mean"].iloc[-1], rises, name, colour))
    _name_ends(ax, ends)
    return ax


def ranked(ax, summary, by, styles=None):
    """Draw means of repeated runs as points with their intervals as bars, a line a setting, the first one on top.

    Args:
        summary: data frame from ``measure.intervals``: by, mean, low, high.
        by: its column that names the settings.
        styles: {name of a setting: (colour, marker)}; those that are missing are drawn in grey, with a dot.
    """
    for place, row in enumerate(summary.itertuples()):
        colour, marker = (styles or {}).get(getattr(row, by), (palette.QUIET, "o"))
        ax.plot([row.low, row.high], [place, place], color=colour, linewidth=2.4, solid_capstyle="round", alpha=0.6)
        ax.plot(row.mean, place, marker=marker, color=colour, markersize=6)
    ax.set_yticks(range(len(summary)), summary[by])
    ax.set_ylim(len(summary) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color=palette.FAINT, linewidth=0.6)
    ax.set_axisbelow(True)
    return ax


def _plain_numbers(ax):
    """Numbers at 1, 2 and 5 along a logarithmic horizontal axis, and no small ticks on either axis."""
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()


def _name_ends(ax, ends):
    """Write each line's name right of its end (x, y), moved apart where names would touch; a line that ends early has
    its name at its end, above where it rises to it and below where it falls."""
    in_axes = ax.transData + ax.transAxes.inverted()
    text = {"fontsize": 9, "color": palette.INK}
    at_the_edge = []
    for *end, rises, name, colour in ends:
        across, height = in_axes.transform(end)
        if across < EARLY:
            beside = {"xytext": (0, 7 if rises else -7), "va": "bottom" if rises else "top"}
            ax.annotate(name, end, textcoords="offset points", ha="right", **beside, **text)
        else:
            at_the_edge.append((height, end, name, colour))
    at_the_edge.sort(key=lambda entry: entry[0])
    heights = [height for height, *_ in at_the_edge]
    gap = 0.2 / (ax.get_position().height * ax.figure.get_figheight())  # a line of text, as a fraction of the axes
    for _ in range(200):  # push neighbours apart by halves until all have room
        for k in range(len(heights) - 1):
            if (overlap := gap - (heights[k + 1] - heights[k])) > 1e-9:
                heights[k], heights[k + 1] = heights[k] - overlap / 2, heights[k + 1] + overlap / 2
    for height, (_, end, name, colour) in zip(heights, at_the_edge, strict=True):
        line = {"arrowstyle": "-", "color": colour, "linewidth": 1, "shrinkA": 1, "shrinkB": 4, "relpos": (0, 0.5)}
        beside = {"xytext": (1.03, height), "textcoords": "axes fraction", "va": "center", "annotation_clip": False}
        ax.annotate(name, end, arrowprops=line, **beside, **text)

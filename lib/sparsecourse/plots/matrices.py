"""Matrices and tables as coloured cells."""

import numpy as np
from matplotlib.colors import ListedColormap, Normalize

from sparsecourse import palette
from sparsecourse.plots.canvas import figure

RULES = {"color": palette.FAINT, "linewidth": 0.8, "zorder": 1.5}  # above the colours, so that empty cells are seen


def weight_scale(weights):
    """Colour scale, a matplotlib ``Normalize``, for ``weights``, a list of arrays of any shapes.

    The two ends of the map are +1 and -1 times the largest magnitude, so that zero is its middle.
    """
    largest = max((np.abs(W).max() for W in weights if np.size(W)), default=0)
    return Normalize(-largest or -1, largest or 1)


def matrix(ax, W, mask=None, numbers=True, scale=None):
    """Draw a weight matrix. A cut weight is an empty cell.

    Args:
        W: weights, (out, in).
        mask: S of the same shape; None keeps every weight that is not zero.
        numbers: write the values into the cells, where these are at most 60.
        scale: colour scale to share with another picture; None makes one for W.
    """
    W = np.asarray(W, dtype=float)
    S = (W != 0) if mask is None else np.asarray(mask, dtype=bool)
    n_out, n_in = W.shape
    scale = scale or weight_scale([W])
    ruled = W.size < 2000  # a rule around every cell, or around the whole matrix only
    ax.pcolormesh(np.ma.masked_array(W, mask=~S), cmap=palette.WEIGHTS, norm=scale)
    ax.hlines(range(n_out + 1) if ruled else (0, n_out), 0, n_in, **RULES)
    ax.vlines(range(n_in + 1) if ruled else (0, n_in), 0, n_out, **RULES)
    if numbers and W.size <= 60:
        for i, j in np.argwhere(S):
            _write(ax, (j + 0.5, i + 0.5), brief(W[i, j]), on_dark=_is_dark(W[i, j], scale))
    ax.set(xlim=(0, n_in), ylim=(n_out, 0), xlabel="input j", ylabel="output i", aspect="equal")
    for axis, n in ((ax.xaxis, n_in), (ax.yaxis, n_out)):
        _name_cells(axis, range(1, n + 1), step=1 if n <= 12 else n // 6)
    ax.spines[:].set_visible(False)
    return ax


def hidden(ax, W, mask):
    """Draw all of a weight matrix ``W``, (out, in), a cross over every entry that its ``mask`` hides."""
    matrix(ax, W, np.ones_like(mask), numbers=False)
    to, source = np.nonzero(np.asarray(mask) == 0)
    ax.scatter(source + 0.5, to + 0.5, marker="x", s=26, color=palette.INK, linewidth=1)
    return ax


def packed(W, mask):
    """A figure of a matrix and the three lists that CSR keeps of it: values, their columns, and where each row starts.

    A line in the two long lists is the boundary of two rows. Where rows are empty, their lines stand side by side.

    Args:
        W: weights, (out, in); small, and whole numbers for their place in the cells.
        mask: S of the same shape.
    """
    W, S = np.asarray(W, dtype=float), np.asarray(mask, dtype=bool)
    margins = {"left": 0.06, "right": 0.99, "top": 0.97, "bottom": 0.17, "wspace": 0.12}
    fig, (left, right) = figure(8.6, 3.2, columns=2, width_ratios=(1, 1.9), margins=margins)
    scale = weight_scale([W])
    matrix(left, W, S, scale=scale, numbers=False)
    for axis, n in zip((left.yaxis, left.xaxis), W.shape, strict=True):
        _name_cells(axis, range(n))  # counted as the lists count
    left.set(xlabel="column, from 0", ylabel="row, from 0")
    starts = np.concatenate([[0], np.cumsum(S.sum(axis=1))])
    lists = {"values": W[S], "columns": np.nonzero(S)[1], "starts": starts}
    for row, (name, entries) in enumerate(lists.items()):
        top, edges = 3 - 1.2 * row, np.arange(len(entries) + 1)
        right.text(-0.4, top - 0.4, f"{name} ({len(entries)})", ha="right", va="center", fontsize=9)
        right.hlines((top, top - 0.8), 0, len(entries), **RULES)
        right.vlines(edges, top - 0.8, top, **RULES)
        if name == "values" and len(entries):
            right.pcolormesh(edges, (top - 0.8, top), entries[None, :], cmap=palette.WEIGHTS, norm=scale)
        for k, entry in enumerate(entries):
            on_dark = name == "values" and _is_dark(entry, scale)
            _write(right, (k + 0.5, top - 0.4), f"{entry:g}", on_dark, fontsize=8)
    for place, boundaries in zip(*np.unique(starts[1:-1], return_counts=True), strict=True):
        beside = 0.2 * (np.arange(boundaries) - (boundaries - 1) / 2)
        right.vlines(place + beside, 1.0, 3.0, color=palette.INK, linewidth=1.2)
    right.set(xlim=(-4.5, max(W.size / 2, len(starts)) + 0.2), ylim=(-0.3, 3.1))
    right.axis("off")
    return fig


def moved(ax, before, after):
    """Draw which connections of a layer have moved: stayed in grey, gone in orange, grown in blue, cut ones empty.

    Args:
        before, after: masks, (out, in).
    """
    before, after = (np.asarray(S).astype(bool) for S in (before, after))
    kinds = np.select([before & after, before & ~after, after & ~before], [1, 2, 3], 0)
    colours = ListedColormap([palette.PAPER, "#a8a8a8", palette.ORANGE, palette.BLUE])
    ax.imshow(kinds, cmap=colours, vmin=0, vmax=3, aspect="auto", interpolation="nearest")
    ax.spines[["top", "right"]].set_visible(True)
    # the names are darker than the cells, because text needs more contrast
    for place, (name, colour) in enumerate((("stayed", palette.QUIET), ("gone", "#a86f00"), ("grown", palette.BLUE))):
        ax.text(place / 3, 1.02, name, transform=ax.transAxes, color=colour, fontsize=10, fontweight="bold")
    return ax


def table_of_shades(ax, table, title):
    """Draw a data frame of fractions as shaded cells with the per cent written in.

    Args:
        table: data frame of numbers between 0 and 1; its index and columns name the axes.
        title: what the numbers are.
    """
    values = table.to_numpy(dtype=float)
    ax.pcolormesh(values, cmap="Blues", vmin=0, vmax=max(values.max(), 1e-9), edgecolors=palette.PAPER, linewidth=2)
    for (i, j), value in np.ndenumerate(values):
        _write(ax, (j + 0.5, i + 0.5), f"{value:.1%}", on_dark=value > 0.55 * values.max())
    _name_cells(ax.xaxis, table.columns)
    _name_cells(ax.yaxis, table.index)
    ax.set(ylim=(len(table.index), 0), xlabel=table.columns.name, ylabel=table.index.name, title=title)
    ax.title.set_size(10)
    ax.spines[:].set_visible(False)
    return ax


def brief(weight):
    """A weight with one decimal, or as many as it takes to tell that it is not zero."""
    return f"{weight:.1f}" if weight == 0 or abs(weight) >= 0.05 else f"{weight:.1g}"


def _is_dark(weight, scale):
    return abs(weight) > 0.6 * scale.vmax


def _write(ax, place, text, on_dark, fontsize=9):
    """Write into the middle of a cell, in a colour that can be read on the cell's."""
    colour = palette.PAPER if on_dark else palette.INK
    ax.text(*place, text, ha="center", va="center", fontsize=fontsize, color=colour)


def _name_cells(axis, names, step=1):
    """Name every cell, or every ``step``-th one, along an axis."""
    axis.set_ticks(np.arange(0, len(names), step) + 0.5, names[::step])
    axis.set_tick_params(length=0)

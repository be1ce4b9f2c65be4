"""Networks as diagrams: their units as circles, their weights as lines."""

import numpy as np
from matplotlib.collections import LineCollection

from sparsecourse import palette
from sparsecourse.plots.canvas import STILL, figure, subscript
from sparsecourse.plots.matrices import matrix, weight_scale


def layer(W, mask=None):
    """The course's signature picture: a figure of one layer as a diagram and as a matrix, in the same colours.

    Args:
        W: weights, (out, in).
        mask: S of the same shape; None keeps every weight that is not zero.
    """
    W = np.asarray(W, dtype=float)
    fig, (left, right) = figure(7.0, 0.75 + 0.55 * max(W.shape), columns=2, width_ratios=(1, 1.1))
    scale = weight_scale([W])
    network(left, [W], None if mask is None else [mask], scale=scale)
    matrix(right, W, mask, scale=scale)
    return fig


def network(ax, weights, masks=None, labels=True, scale=None, values=None, line_labels=False):
    """Draw a fully connected network from left to right. A cut weight has no line.

    Args:
        weights: one matrix (out, in) a layer.
        masks: one mask a layer; None keeps every weight that is not zero.
        labels: number the units.
        scale: colour scale to share with another picture; None makes one for all layers.
        values: one array of numbers a column of units, written into them instead of their names.
        line_labels: write each weight onto its line; for small networks.
    """
    weights = [np.asarray(W, dtype=float) for W in weights]
    masks = [W != 0 for W in weights] if masks is None else [np.asarray(S, dtype=bool) for S in masks]
    scale = scale or weight_scale(weights)
    sizes = [weights[0].shape[1], *(W.shape[0] for W in weights)]
    tallest = max(sizes)
    units = [_places(column, n, tallest) for column, n in enumerate(sizes)]
    centred = {"ha": "center", "va": "center", "zorder": 3}
    for column, (W, S) in enumerate(zip(weights, masks, strict=True)):
        to, source = _weakest_first(W, S)
        starts, ends = units[column][source], units[column + 1][to]
        thinnest, growth = (0.8, 2.6) if len(to) < 150 else (0.4, 1.2)
        _strands(ax, np.stack([starts, ends], axis=1), W[to, source], scale, thinnest, growth)
        if line_labels:
            box = {"facecolor": palette.PAPER, "edgecolor": "none", "pad": 1}
            places = 0.7 * starts + 0.3 * ends  # off the middle, where lines cross
            for place, weight in zip(places, W[to, source], strict=True):
                ax.text(*place, f"{weight:g}", fontsize=10, bbox=box, **centred)
    radius = 320 if tallest <= 8 else 2400 / tallest
    for column, places in enumerate(units):
        ax.scatter(*places.T, s=radius, color=palette.PAPER, edgecolors=palette.INK, zorder=2)
        letter = "x" if column == 0 else "y" if column == len(weights) else "h"
        for k, place in enumerate(places):
            if values is not None:
                ax.text(*place, f"{values[column][k]:.1f}", fontsize=8, **centred)
            elif labels and tallest <= 12:
                ax.text(*place, f"{letter}{subscript(k + 1)}", fontsize=10, **centred)
    ax.set(xlim=(-0.25, len(sizes) - 0.75), ylim=(-tallest / 2 - 0.2, tallest / 2 + 0.2))
    ax.axis("off")
    return ax


def circuit(ax, W, mask, layers, inputs=None, activity=None):
    """Draw a recurrent circuit in columns, inputs left and motor right; a connection within a column is an arc.

    A neuron without any connection is left out.

    Args:
        W: weights, (neurons, inputs + neurons).
        mask: S of the same shape.
        layers: {name of a column: number of neurons}, in the order of the rows of W.
        inputs, activity: values of the inputs and states of the neurons, to colour them by from -1 to 1, or None.
    """
    W, S = np.asarray(W, dtype=float), np.asarray(mask, dtype=bool)
    neurons, heard = W.shape
    n_in = heard - neurons
    columns = {"inputs": n_in, **layers}
    places = np.concatenate([_places(column, n) for column, n in enumerate(columns.values())])
    scale = weight_scale([W[S]])
    to, source = _weakest_first(W, S)
    bend = np.linspace(0, 1, 7)[:, None]
    bulge = np.hstack([1.1 * bend * (1 - bend), 0 * bend])  # an arc to the right, within a column
    ends = zip(places[source], places[n_in + to], strict=True)
    lines = [a + bend * (b - a) + bulge if a[0] == b[0] else np.stack([a, b]) for a, b in ends]
    _strands(ax, lines, W[to, source], scale, thinnest=0.4, growth=1.8, alpha=0.75)
    seen = np.zeros(n_in) if inputs is None else np.clip(inputs, -1, 1)
    shades = {"cmap": palette.WEIGHTS, "vmin": -1, "vmax": 1, "edgecolors": palette.INK, "zorder": 2}
    ax.scatter(*places[:n_in].T, c=seen, s=18, marker="^", linewidth=0.6, **shades)
    used = S.any(axis=1) | S[:, n_in:].any(axis=0)
    states = np.zeros(neurons) if activity is None else np.asarray(activity)
    ax.scatter(*places[n_in:][used].T, c=states[used], s=90, linewidth=0.8, **shades)
    drawn = [n_in, *(int(part.sum()) for part in np.split(used, np.cumsum(list(layers.values()))[:-1]))]
    for column, (name, count) in enumerate(zip(columns, drawn, strict=True)):
        if count:
            ax.text(column, -0.62, f"{count} {name}", ha="center", va="top", fontsize=8)
    ax.set(xlim=(-0.15, len(columns) - 0.75), ylim=(-0.72, 0.52))
    ax.axis("off")
    return ax


def _places(column, n, height=1.0):
    """Places (n, 2) of the units of a column, from the top down to both sides of the middle."""
    return np.stack([np.full(n, column), height / 2 - (np.arange(n) + 0.5) * height / n], axis=1)


def _weakest_first(W, S):
    """Outputs and inputs of the weights that a mask keeps, so ordered that the strong ones are drawn last, on top."""
    to, source = np.nonzero(S)
    order = np.argsort(np.abs(W[to, source]), kind="stable")
    return to[order], source[order]


def _strands(ax, lines, weights, scale, thinnest, growth, alpha=None):
    """Draw a line a weight, in its colour; a strong weight is thicker by up to ``growth`` points."""
    look = {"colors": palette.WEIGHTS(scale(weights)), "linewidths": thinnest + growth * np.abs(weights) / scale.vmax}
    ax.add_collection(LineCollection(lines, alpha=alpha, zorder=1, gid=STILL, **look))

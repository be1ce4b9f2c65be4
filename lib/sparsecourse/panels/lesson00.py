"""Panel of lesson 00: a network thins out."""

import itertools

import numpy as np

from sparsecourse import masks, plots
from sparsecourse.panels.building import build, slider


def random_network(sizes=(8, 6, 6, 3), seed=0):
    """Weights of a network drawn at random.

    Args:
        sizes: units of each layer from input to output.
        seed: seed of the weights.

    Returns:
        One matrix (out, in) a layer.
    """
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n_out, n_in)) for n_in, n_out in itertools.pairwise(sizes)]


def panel():
    """A network thins out as a slider moves: its weakest weights go first."""
    return build({"cut": slider("weights cut, %", 50, 0, 99, 1)}, picture)


def picture(cut):
    """A network of :func:`random_network` without its weakest weights, ``cut`` per cent of all."""
    weights = random_network()
    S = masks.keep_largest([np.abs(W) for W in weights], cut / 100)
    left, total = sum(int(part.sum()) for part in S), sum(W.size for W in weights)
    fig, ax = plots.figure(6.5, 3.2)
    plots.network(ax, weights, S)
    words = f"{left} of {total} weights are left: sparsity {1 - left / total:.1%}."
    return fig, f"A network of {len(weights) + 1} columns of units with its weakest weights cut. {words}", words

"""Panel of lesson 03: a matrix packed as CSR."""

import numpy as np

from sparsecourse import masks, plots
from sparsecourse.panels.building import build, slider


def small_matrix():
    """A matrix (6, 8) of whole numbers from -9 to 9 without a zero."""
    rng = np.random.default_rng(2)
    return rng.integers(1, 10, size=(6, 8)) * rng.choice([-1, 1], size=(6, 8))


def panel():
    """Cut weights and watch the three lists of CSR shrink."""
    return build({"cut": slider("weights cut, %", 75, 50, 96, 2)}, picture)


def picture(cut):
    """The small matrix without ``cut`` per cent of its weights, its three CSR lists, and the bytes of both."""
    W = small_matrix()
    S = masks.magnitude(W, cut / 100)
    kept, dense = int(S.sum()), 4 * W.size
    packed = 8 * kept + 4 * (len(W) + 1)
    words = (
        f"{kept} of {W.size} weights are left. Dense: {dense} bytes. CSR: {kept} values and {kept} columns of 4 bytes "
        f"each, and {len(W) + 1} starts, {packed} bytes, {packed / dense:.2f} of the dense matrix."
    )
    return plots.packed(W, S), f"A matrix and the three lists that store it without its zeros. {words}", words

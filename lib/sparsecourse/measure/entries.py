"""Measures over the entries of one array, and of each layer of a network."""

import math

import numpy as np
import pandas as pd
from torch import nn

from sparsecourse.arrays import as_array, magnitudes
from sparsecourse.layers import masked_weights


def sparsity(W):
    """Fraction of the entries of W that are exactly zero, between 0 and 1."""
    return float(np.mean(as_array(W) == 0))


def density(W):
    """Fraction of the entries of W that are not zero: 1 - sparsity."""
    return 1 - sparsity(W)


def compression(W):
    """Entries in all for each entry kept, 1 / density; infinite where nothing is kept."""
    kept = density(W)
    return 1 / kept if kept > 0 else math.inf


def near_zero(W, tau):
    """Fraction of the entries with magnitude below tau times the root mean square of W.

    The threshold is relative, so that W and 10 W get the same answer.

    Args:
        W: array of any shape.
        tau: threshold as a fraction of the root mean square, not negative.
    """
    if tau < 0:
        raise ValueError(f"tau must not be negative, got {tau}")
    sizes = magnitudes(W)
    sizes = np.ldexp(sizes, -np.frexp(sizes.max())[1])  # very large and very small numbers have no squares
    return float(np.mean(sizes < tau * np.sqrt(np.mean(sizes**2))))


def hoyer(W):
    """Hoyer's sparsity, (sqrt(n) - |W|_1 / |W|_2) / (sqrt(n) - 1): 0 for equal magnitudes, 1 for a single entry.

    Source: Hoyer, JMLR 5 (2004), section 3.1.

    Raises:
        ValueError: all entries are zero, or there is one entry only: the measure is not defined there.
    """
    sizes = _relative(W, "Hoyer's measure")
    n = sizes.size
    if n == 1:
        raise ValueError("Hoyer's measure needs at least two entries")
    ratio = sizes.sum() / np.sqrt(np.sum(sizes**2))
    return float(np.clip((np.sqrt(n) - ratio) / (np.sqrt(n) - 1), 0, 1))


def gini(W):
    """Gini index of the magnitudes: 0 for equal magnitudes, 1 - 1/n for a single entry.

    Source: Hurley and Rickard, IEEE Trans. Information Theory 55 (2009), equation 13 of arXiv:0811.4706.

    Raises:
        ValueError: all entries are zero: the measure is not defined there.
    """
    sizes = np.sort(_relative(W, "the Gini index"))
    n = sizes.size
    weights = (n - np.arange(1, n + 1) + 0.5) / n
    return float(np.clip(1 - 2 * np.sum(sizes * weights) / sizes.sum(), 0, 1))


def _relative(W, measure):
    """Magnitudes of W as parts of the largest of them, in a row."""
    sizes = magnitudes(W).ravel()
    if not sizes.any():
        raise ValueError(f"{measure} is not defined for an array of zeros")
    return sizes / sizes.max()  # the measures do not see scale; very small numbers then do not underflow


def layers(weights):
    """Sparsity layer by layer and over all layers.

    Args:
        weights: mapping from layer name to its weight array, or a ``torch.nn.Module`` (then every parameter of two
            or more dimensions, as its layer uses it: after pruning and parametrizations; biases do not count).

    Returns:
        A data frame with a row a layer and a last row "all": shape, entries, kept, sparsity.
    """
    if isinstance(weights, nn.Module):
        weights = masked_weights(weights)
    if not weights:
        raise ValueError("there is no weight matrix to measure")
    if "all" in weights:
        raise ValueError("a layer can't be named 'all': that is the name of the last row")
    arrays = {name: as_array(W, name) for name, W in weights.items()}
    table = pd.DataFrame(
        {
            "shape": [" × ".join(map(str, W.shape)) for W in arrays.values()],
            "entries": [W.size for W in arrays.values()],
            "kept": [np.count_nonzero(W) for W in arrays.values()],
        },
        index=pd.Index(arrays, name="layer"),
    )
    table.loc["all"] = ["", table["entries"].sum(), table["kept"].sum()]
    return table.assign(sparsity=1 - table["kept"] / table["entries"])

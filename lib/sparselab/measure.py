"""How sparse is it? Measures over one array or over all layers of a network.

Sparsity is the fraction of entries *cut*, never of those kept: the entries that are exactly zero. Every function takes
NumPy arrays, nested lists or torch tensors of any shape; W and its mask S have shape (out, in).
"""

import itertools
import math

import numpy as np
import pandas as pd


def from_tensor(W):
    """A torch tensor as a NumPy array, and anything else as it is.

    The tensor may have a gradient, lie on another device, be sparse, or be of a type that NumPy lacks.
    """
    if not hasattr(W, "detach"):
        return W
    W = W.detach().cpu().to_dense()
    return (W.double() if W.is_floating_point() else W).numpy()


def as_array(W, name="W"):
    """W as a NumPy array of numbers, for reading.

    Args:
        W: array, nested list or tensor.
        name: what to call it in an error.

    Raises:
        ValueError: W is empty, is not made of numbers, or holds NaN or infinity.
    """
    try:
        array = np.asarray(from_tensor(W))
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array of numbers: its rows have different lengths") from error
    if array.dtype == bool:
        array = array.astype(int)
    if not np.issubdtype(array.dtype, np.number):
        raise ValueError(f"{name} must be an array of numbers, got {type(W).__name__}")
    if array.size == 0:
        raise ValueError(f"{name} is empty: shape {array.shape}")
    if not np.isfinite(array).all():
        place = [int(i) for i in np.argwhere(~np.isfinite(array))[0]]
        raise ValueError(f"{name} holds {array[tuple(place)]} at {place}: a measure of it would mean nothing")
    return array


def as_matrix(W):
    """W as a NumPy matrix of shape (out, in).

    Raises:
        ValueError: W is not a matrix of finite numbers.
    """
    W = as_array(W)
    if W.ndim != 2:
        raise ValueError(f"W must be a matrix of shape (out, in), got shape {W.shape}")
    return W


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
    W = as_array(W)
    return float(np.mean(np.abs(W) < tau * np.sqrt(np.mean(W.astype(float) ** 2))))


def hoyer(W):
    """Hoyer's sparsity, (sqrt(n) - |W|_1 / |W|_2) / (sqrt(n) - 1): 0 for equal magnitudes, 1 for a single entry.

    Source: Hoyer, JMLR 5 (2004), section 3.1.

    Raises:
        ValueError: all entries are zero, or there is one entry only: the measure is not defined there.
    """
    magnitudes = _magnitudes(W, "Hoyer's measure")
    n = magnitudes.size
    if n == 1:
        raise ValueError("Hoyer's measure needs at least two entries")
    ratio = magnitudes.sum() / np.sqrt(np.sum(magnitudes**2))
    return float(np.clip((np.sqrt(n) - ratio) / (np.sqrt(n) - 1), 0, 1))


def gini(W):
    """Gini index of the magnitudes: 0 for equal magnitudes, 1 - 1/n for a single entry.

    Source: Hurley and Rickard, IEEE Trans. Information Theory 55 (2009), equation 13 of arXiv:0811.4706.

    Raises:
        ValueError: all entries are zero: the measure is not defined there.
    """
    magnitudes = np.sort(_magnitudes(W, "the Gini index"))
    n = magnitudes.size
    weights = (n - np.arange(1, n + 1) + 0.5) / n
    return float(np.clip(1 - 2 * np.sum(magnitudes * weights) / magnitudes.sum(), 0, 1))


def _magnitudes(W, measure):
    magnitudes = np.abs(as_array(W)).astype(float).ravel()
    if not magnitudes.any():
        raise ValueError(f"{measure} is not defined for an array of zeros")
    return magnitudes / magnitudes.max()  # the measures do not see scale; very small numbers then do not underflow


def layers(weights):
    """Sparsity layer by layer and over all layers.

    Args:
        weights: mapping from layer name to its weight array, or a ``torch.nn.Module`` (then every parameter of two
            or more dimensions, as its layer uses it: after pruning and parametrizations; biases do not count).

    Returns:
        A data frame with a row a layer and a last row "all": shape, entries, kept, sparsity.
    """
    if hasattr(weights, "named_parameters"):
        weights = dict(_used_weights(weights))
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


def _used_weights(module):
    """Names and tensors of a module's weights as its layers use them.

    ``torch.nn.utils.prune`` keeps the full matrix as ``weight_orig``, ``torch.nn.utils.parametrize`` as
    ``parametrizations.weight.original``. What the layer computes with is ``weight``.
    """
    for name, parameter in module.named_parameters():
        if parameter.ndim < 2:
            continue
        *path, attribute = name.split(".")
        if path[-2:-1] == ["parametrizations"]:
            *path, _, attribute = path
        owner = module.get_submodule(".".join(path))
        if hasattr(owner, attribute.removesuffix("_orig")):
            attribute = attribute.removesuffix("_orig")
        yield ".".join([*path, attribute]), getattr(owner, attribute)


def parameters(sizes):
    """Weights and biases of a fully connected network.

    Args:
        sizes: units of each layer from input to output, for example (784, 300, 100, 10).
    """
    return sum(n_in * n_out + n_out for n_in, n_out in _layer_shapes(sizes))


def multiply_adds(sizes):
    """Multiply-adds of one example through a fully connected network: one a weight.

    Args:
        sizes: units of each layer from input to output.
    """
    return sum(n_in * n_out for n_in, n_out in _layer_shapes(sizes))


def _layer_shapes(sizes):
    sizes = list(sizes)
    if len(sizes) < 2 or any(int(n) != n or n < 1 for n in sizes):
        raise ValueError(f"sizes must be two or more positive whole numbers, got {sizes}")
    return list(itertools.pairwise(sizes))


def unused_inputs(W):
    """Indices of the inputs that no output listens to: the columns of W that are all zero."""
    return np.flatnonzero(~as_matrix(W).any(axis=0)).tolist()


def dead_outputs(W):
    """Indices of the outputs that listen to no input: the rows of W that are all zero."""
    return np.flatnonzero(~as_matrix(W).any(axis=1)).tolist()

"""How sparse is it? Measures over one array or over all layers of a network.

Sparsity is the fraction of entries *cut*, never of those kept: the entries that are exactly zero. Every function takes
NumPy arrays, nested lists or torch tensors of any shape; W and its mask S have shape (out, in).
"""

import itertools
import math

import numpy as np
import pandas as pd
from scipy import stats


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
        weights = used_weights(weights)
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


def used_weights(network):
    """The weights of a network as its layers use them: {name: tensor}, for parameters of two or more dimensions.

    A ``layers.SparseLinear`` computes with W ⊙ S. ``torch.nn.utils.prune`` keeps the full matrix as ``weight_orig``,
    ``torch.nn.utils.parametrize`` as ``parametrizations.weight.original``; what the layer computes with is ``weight``.
    """
    found = {}
    for name, parameter in network.named_parameters():
        if parameter.ndim < 2:
            continue
        *path, attribute = name.split(".")
        if path[-2:-1] == ["parametrizations"]:
            *path, _, attribute = path
        owner = network.get_submodule(".".join(path))
        if hasattr(owner, attribute.removesuffix("_orig")):
            attribute = attribute.removesuffix("_orig")
        found[".".join([*path, attribute])] = getattr(owner, f"used_{attribute}", getattr(owner, attribute))
    return found


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


def paths(masks):
    """How many ways lead from each input of a network to each of its outputs.

    Args:
        masks: one mask or weight matrix (out, in) a layer, from input to output.

    Returns:
        Array (outputs, inputs) of whole numbers.
    """
    return _ways_through([(as_matrix(S) != 0).astype(int) for S in masks])


def effective(masks):
    """The weights of each layer that lie on some path from an input to an output; the others can't matter.

    Biases are left out of account: a unit that hears nothing counts as silent, though its bias may speak.

    Args:
        masks: one mask or weight matrix (out, in) a layer, from input to output.

    Returns:
        One mask a layer. Its sparsity is the effective sparsity.

    Source: Vysogorets and Kempe, JMLR 24 (2023), doi:10.48550/arXiv.2107.02306.
    """
    kept = [(as_matrix(S) != 0).astype(int) for S in masks]
    reached, leads_on = _reached(kept), _reached([S.T for S in reversed(kept)])[::-1]
    return [
        S * hears[None, :] * speaks[:, None] for S, hears, speaks in zip(kept, reached[:-1], leads_on[1:], strict=True)
    ]


def wiring(masks):
    """What a network's masks leave of its units and weights, layer by layer.

    Args:
        masks: one mask or weight matrix (out, in) a layer, from input to output.

    Returns:
        A data frame with a row a layer and a last row "all": kept and sparsity; unused_inputs and dead_outputs, units
        without a connection to the next or from the last layer; effective, kept weights that lie on a path.
    """
    kept = [(as_matrix(S) != 0).astype(int) for S in masks]
    table = pd.DataFrame(
        {
            "kept": [S.sum() for S in kept],
            "entries": [S.size for S in kept],
            "unused_inputs": [len(unused_inputs(S)) for S in kept],
            "dead_outputs": [len(dead_outputs(S)) for S in kept],
            "effective": [S.sum() for S in effective(kept)],
        },
        index=pd.Index([str(k) for k in range(1, len(kept) + 1)], name="layer"),
    )
    table.loc["all"] = table.sum()
    table.insert(1, "sparsity", 1 - table["kept"] / table["entries"])
    return table.drop(columns="entries")


def _ways_through(kept):
    for S, following in itertools.pairwise(kept):
        if following.shape[1] != S.shape[0]:
            raise ValueError(f"a layer of {S.shape[0]} outputs is followed by one of {following.shape[1]} inputs")
    ways = np.eye(kept[0].shape[1], dtype=int)
    for S in kept:
        ways = S @ ways
    return ways


def _reached(kept):
    """For each column of units, from the first on, which of them a path from the first column reaches."""
    _ways_through(kept)
    reached = [np.ones(kept[0].shape[1], dtype=int)]
    for S in kept:
        reached.append((S @ reached[-1] > 0).astype(int))
    return reached


def intervals(table, by, value, confidence=0.95):
    """Mean of repeated runs, with the interval that holds the true mean with the given confidence.

    The interval is Student's: mean ± t · (standard deviation / √runs). Runs are taken to be independent draws from
    something like a normal distribution.

    Args:
        table: data frame with a row a run.
        by: column, or list of columns, that tells the settings apart.
        value: column to average.
        confidence: between 0 and 1.

    Returns:
        A data frame with the columns of ``by`` and mean, low, high, runs.

    Raises:
        ValueError: a run has no value, as a network that diverged; or a setting has one run only.
    """
    if missing := int(table[value].isna().sum()):
        raise ValueError(
            f"{missing} of {len(table)} runs have no {value}: say what happened to them and leave them out, or not"
        )
    by = [by] if isinstance(by, str) else list(by)
    groups = table.groupby(by, sort=False, dropna=False)[value]
    summary = groups.agg(mean="mean", deviation="std", runs="count").reset_index()
    if (summary["runs"] < 2).any():
        raise ValueError("an interval needs at least two runs of every setting")
    reach = stats.t.ppf((1 + confidence) / 2, summary["runs"] - 1) * summary["deviation"] / np.sqrt(summary["runs"])
    summary["low"], summary["high"] = summary["mean"] - reach, summary["mean"] + reach
    return summary[[*by, "mean", "low", "high", "runs"]]

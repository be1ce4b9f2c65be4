"""What masks leave of a network's units and paths."""

import functools
import itertools
import math

import numpy as np
import pandas as pd

from sparsecourse.arrays import as_matrix


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
        Array (outputs, inputs) of whole numbers, Python's own where there may be too many ways for 64 bits.
    """
    kept = _kept(masks)
    most = math.prod(int(S.sum(axis=1).max()) for S in kept)  # to no output lead more
    ways = np.eye(kept[0].shape[1], dtype=int if most < 2**63 else object)
    return functools.reduce(lambda ways, S: S @ ways, kept, ways)


def effective(masks):
    """The weights of each layer that lie on some path from an input to an output; the others can't matter.

    Biases are left out of account: a unit that hears nothing counts as silent, though its bias may speak.

    Args:
        masks: one mask or weight matrix (out, in) a layer, from input to output.

    Returns:
        One mask a layer. Its sparsity is the effective sparsity.

    Source: Vysogorets and Kempe, JMLR 24 (2023), doi:10.48550/arXiv.2107.02306.
    """
    kept = _kept(masks)
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
    kept = _kept(masks)
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


def _kept(masks):
    """Matrices of 0 and 1, after checking that each layer takes what the one before it gives."""
    kept = [(as_matrix(S) != 0).astype(int) for S in masks]
    for S, following in itertools.pairwise(kept):
        if following.shape[1] != S.shape[0]:
            raise ValueError(f"a layer of {S.shape[0]} outputs is followed by one of {following.shape[1]} inputs")
    return kept


def _reached(kept):
    """For each column of units, from the first on, which of them a path from the first column reaches."""
    reached = [np.ones(kept[0].shape[1], dtype=int)]
    for S in kept:
        reached.append((S @ reached[-1] > 0).astype(int))
    return reached

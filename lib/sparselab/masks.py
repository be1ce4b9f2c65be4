"""Masks: which weights may live. S has the shape of W, (out, in); S[i, j] = 1 keeps the weight from j to i.

A mask is a NumPy array of the integers 0 and 1. Every function that is asked for a sparsity cuts the nearest whole
number of entries that its pattern allows; ``measure.sparsity(S)`` says which sparsity was realised.
"""

import numpy as np

from sparselab.measure import as_array, as_matrix


def check_sparsity(sparsity):
    """Raise ValueError unless 0 <= sparsity < 1; at 1 nothing would be left of the layer."""
    if not 0 <= sparsity < 1:
        raise ValueError(f"sparsity must lie in [0, 1), got {sparsity}")


def check_mask(S, shape=None):
    """S as an integer array, after checking that it is a mask.

    Args:
        S: array of zeros and ones.
        shape: shape that it must have, or None for any.

    Raises:
        ValueError: an entry is neither 0 nor 1, or the shape is wrong.
    """
    S = as_array(S, "the mask")
    if not np.isin(S, (0, 1)).all():
        place = [int(i) for i in np.argwhere(~np.isin(S, (0, 1)))[0]]
        raise ValueError(f"a mask holds only 0 and 1, got {S[tuple(place)]} at {place}")
    if shape is not None and S.shape != tuple(shape):
        raise ValueError(f"the mask has shape {S.shape}, the weights have shape {tuple(shape)}")
    return S.astype(int)


def _keep_largest(scores, sparsity):
    """Mask that keeps the entries with the largest scores and cuts round(sparsity * n) of them."""
    check_sparsity(sparsity)
    S = np.ones(scores.size, dtype=int)
    S[np.argsort(scores, axis=None, kind="stable")[: round(sparsity * scores.size)]] = 0
    return S.reshape(scores.shape)


def random(shape, sparsity, seed):
    """Cut entries at random, an exact number of them.

    Args:
        shape: shape of the mask, (out, in).
        sparsity: fraction of entries to cut, in [0, 1).
        seed: seed of the random choice. The same seed at a higher sparsity cuts the same entries and more.
    """
    return _keep_largest(np.random.default_rng(seed).random(shape), sparsity)


def magnitude(W, sparsity):
    """Cut the entries of W that are smallest in magnitude, an exact number of them; ties go in order."""
    return _keep_largest(np.abs(as_array(W)), sparsity)


def rows(W, sparsity):
    """Cut whole rows of W, the outputs with the smallest norm: the layer gets narrower."""
    W = as_matrix(W)
    return np.repeat(_keep_largest(np.linalg.norm(W, axis=1), sparsity)[:, None], W.shape[1], axis=1)


def columns(W, sparsity):
    """Cut whole columns of W, the inputs with the smallest norm."""
    return rows(as_matrix(W).T, sparsity).T


def blocks(W, sparsity, block):
    """Cut whole blocks of W, those with the smallest norm.

    Args:
        W: matrix, (out, in).
        sparsity: fraction of blocks to cut, in [0, 1).
        block: (rows, columns) of a block; they must divide the shape of W.
    """
    W = as_matrix(W)
    (n_rows, n_columns), (height, width) = W.shape, block
    if n_rows % height or n_columns % width:
        raise ValueError(f"blocks of {height} × {width} do not tile a matrix of {n_rows} × {n_columns}")
    tiles = W.reshape(n_rows // height, height, n_columns // width, width)
    return np.kron(_keep_largest(np.sqrt((tiles**2).sum(axis=(1, 3))), sparsity), np.ones(block, dtype=int))


def n_of_m(W, n, m):
    """Keep the n largest of every m neighbours in a row (N:M sparsity; graphics cards know 2:4).

    Args:
        W: matrix, (out, in); m must divide the number of inputs.
        n: entries kept in each group, from 1 to m.
        m: size of a group.
    """
    W = as_matrix(W)
    if not 1 <= n <= m:
        raise ValueError(f"n must lie between 1 and m = {m}, got {n}")
    if W.shape[1] % m:
        raise ValueError(f"groups of {m} do not fit into rows of {W.shape[1]} inputs")
    groups = np.abs(W).reshape(-1, m)
    S = np.zeros(groups.shape, dtype=int)
    np.put_along_axis(S, np.argsort(-groups, axis=1, kind="stable")[:, :n], 1, axis=1)
    return S.reshape(W.shape)


def rewired(S, seed, swaps=10):
    """Rewire a mask at random, such that every input and every output keeps its number of connections.

    Two connections, from j to i and from l to k, become j to k and l to i, unless one of these is there already.

    Args:
        S: mask, (out, in).
        seed: seed of the random choices.
        swaps: attempts for each connection; ten leave little of the old wiring.

    Source: Maslov and Sneppen, Science 296 (2002), doi:10.1126/science.1065103.
    """
    S = as_matrix(check_mask(S))
    if not S.any():
        return S
    wires = [(to, source) for to, source in np.argwhere(S).tolist()]
    taken = set(wires)
    for a, b in np.random.default_rng(seed).integers(len(wires), size=(swaps * len(wires), 2)).tolist():
        (to_a, source_a), (to_b, source_b) = wires[a], wires[b]
        crossed = (to_b, source_a), (to_a, source_b)
        if not taken.isdisjoint(crossed):
            continue
        taken.difference_update((wires[a], wires[b]))
        taken.update(crossed)
        wires[a], wires[b] = crossed
    result = np.zeros_like(S)
    result[tuple(zip(*wires, strict=True))] = 1
    return result

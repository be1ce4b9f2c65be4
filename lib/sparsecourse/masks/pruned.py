"""Masks that follow weights: the smallest go, one by one, in rows, in blocks, or in groups of neighbours."""

import numpy as np

from sparsecourse.arrays import as_matrix, magnitudes
from sparsecourse.masks.calculator import check_whole, keep_largest


def _keep_largest(scores, sparsity):
    (kept,) = keep_largest([scores], sparsity)
    return kept.numpy().astype(int)


def magnitude(W, sparsity):
    """Cut the entries of W that are smallest in magnitude, an exact number of them; ties go in order."""
    return _keep_largest(magnitudes(W), sparsity)


def rows(W, sparsity):
    """Cut whole rows of W, the outputs with the smallest norm: the layer gets narrower."""
    W = magnitudes(as_matrix(W))
    return np.repeat(_keep_largest(np.linalg.norm(W, axis=1), sparsity)[:, None], W.shape[1], axis=1)


def columns(W, sparsity):
    """Cut whole columns of W, the inputs with the smallest norm."""
    return rows(as_matrix(W).T, sparsity).T


def check_block(shape, block):
    """Raise a ValueError unless blocks, (rows, columns) of one, tile a matrix of a shape, (out, in)."""
    if min(block) < 1 or np.mod(shape, block).any():
        raise ValueError(f"blocks of {block[0]} × {block[1]} do not tile a matrix of {shape[0]} × {shape[1]}")


def blocks(W, sparsity, block):
    """Cut whole blocks of W, those with the smallest norm; for blocks at random places, let W be random numbers.

    Args:
        W: matrix, (out, in).
        sparsity: fraction of blocks to cut, in [0, 1).
        block: (rows, columns) of a block; they must divide the shape of W.
    """
    W = magnitudes(as_matrix(W))
    check_block(W.shape, block)
    (n_rows, n_columns), (height, width) = W.shape, block
    tiles = W.reshape(n_rows // height, height, n_columns // width, width)
    return np.kron(_keep_largest(np.sqrt((tiles**2).sum(axis=(1, 3))), sparsity), np.ones(block, dtype=int))


def n_of_m(W, n, m):
    """Keep the n largest of every m neighbours in a row (N:M sparsity; graphics cards know 2:4).

    For an N:M mask that is drawn before training, let W be random numbers.

    Args:
        W: matrix, (out, in); m must divide the number of inputs.
        n: entries kept in each group, from 1 to m.
        m: size of a group.
    """
    W = magnitudes(as_matrix(W))
    check_whole(1, m=m)
    check_whole(1, m, n=n)
    if W.shape[1] % m:
        raise ValueError(f"groups of {m} do not fit into rows of {W.shape[1]} inputs")
    groups = W.reshape(-1, m)
    S = np.zeros(groups.shape, dtype=int)
    np.put_along_axis(S, np.argsort(-groups, axis=1, kind="stable")[:, :n], 1, axis=1)
    return S.reshape(W.shape)

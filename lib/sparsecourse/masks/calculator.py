"""From scores to masks: the one place where it is decided which entries stay."""

from numbers import Integral

import numpy as np
import torch

from sparsecourse.arrays import as_array


class DivergedError(ValueError):
    """Scores that are not finite, as after a training that diverged: none of them is the smallest."""


def check_sparsity(sparsity):
    """Raise ValueError unless 0 <= sparsity < 1; at 1 nothing would be left of the layer."""
    if not 0 <= sparsity < 1:
        raise ValueError(f"sparsity must lie in [0, 1), got {sparsity}")


def check_whole(at_least, at_most=None, **numbers):
    """Raise ValueError unless these are whole numbers within bounds, and of such a type: 30.0 can't count anything."""
    words = f"from {at_least} " + ("up" if at_most is None else f"to {at_most}")
    for name, number in numbers.items():
        if not isinstance(number, Integral) or number < at_least or (at_most is not None and number > at_most):
            raise ValueError(f"{name} must be a whole number {words}, got {number}")


def check_mask(mask, shape=None):
    """A mask as an integer array, after checking that it is a mask.

    Args:
        mask: array of zeros and ones.
        shape: shape that it must have, or None for any.

    Raises:
        ValueError: an entry is neither 0 nor 1, or the shape is wrong.
    """
    S = as_array(mask, "the mask")
    fine = (S == 0) | (S == 1)  # np.isin would take several times the memory of a large mask
    if not fine.all():
        place = [int(i) for i in np.argwhere(~fine)[0]]
        raise ValueError(f"a mask holds only 0 and 1, got {S[tuple(place)]} at {place}")
    if shape is not None and S.shape != tuple(shape):
        raise ValueError(f"the mask has shape {S.shape}, the weights have shape {tuple(shape)}")
    return S.astype(int)


def largest(scores, n):
    """Mark the n largest entries of a tensor; of equal ones the last.

    Args:
        scores: tensor of any shape, without NaN.
        n: how many, from 0 to all.

    Returns:
        Boolean tensor of the same shape.
    """
    if n == 0:
        return torch.zeros_like(scores, dtype=torch.bool)
    flat = scores.flatten() if scores.is_floating_point() else scores.flatten().long()
    smallest = flat.kthvalue(len(flat) - n + 1).values  # of those that stay; found several times faster than an order
    kept = flat >= smallest
    if surplus := int(kept.sum()) - n:
        kept[(flat == smallest).nonzero()[:surplus]] = False
    return kept.view(scores.shape)


def keep_largest(scores, sparsity, distribution=None):
    """Masks that keep the entries with the largest scores, an exact number of them; of equal ones the last.

    Args:
        scores: one tensor or array a layer, of any shape, at least one.
        sparsity: fraction of all entries to cut, in [0, 1).
        distribution: how much of it each layer gets, a function of the layers' shapes and the sparsity such as
            ``masks.erk``; None ranks the entries of all layers together.

    Returns:
        One boolean tensor a layer.

    Raises:
        ValueError: there is no layer, the distribution gives them something else than a sparsity each, or nothing is
            left of what is ranked together.
        DivergedError: a score is not finite.
    """
    check_sparsity(sparsity)
    scores = [torch.as_tensor(layer) for layer in scores]
    if not scores:
        raise ValueError("there is no layer to cut")
    for layer in scores:
        if not layer.isfinite().all():
            raise DivergedError(f"a score is not finite: {layer[~layer.isfinite()][0]:g}; none of them is the smallest")
    if distribution is None:
        together = torch.cat([layer.flatten() for layer in scores])
        parts = _keep(together, sparsity).split([layer.numel() for layer in scores])
        return [part.view(layer.shape) for part, layer in zip(parts, scores, strict=True)]
    shares = list(distribution([tuple(layer.shape) for layer in scores], sparsity))
    if len(shares) != len(scores) or not all(0 <= share < 1 for share in shares):
        raise ValueError(f"a distribution gives each of {len(scores)} layers a sparsity in [0, 1), got {shares}")
    return [_keep(layer, share) for layer, share in zip(scores, shares, strict=True)]


def _keep(scores, sparsity):
    kept = scores.numel() - round(sparsity * scores.numel())
    if not kept:
        raise ValueError(f"a sparsity of {sparsity:g} leaves nothing of {scores.numel()}")
    return largest(scores, kept)

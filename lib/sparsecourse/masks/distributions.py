"""How much of a network's sparsity each of its layers gets."""

import itertools
from numbers import Integral

import numpy as np

from sparsecourse.masks.calculator import check_sparsity


def layer_shapes(sizes):
    """Shapes (out, in) of the weight matrices of a fully connected network.

    Args:
        sizes: units of each layer from input to output, for example (784, 300, 100, 10).
    """
    sizes = list(sizes)
    if len(sizes) < 2 or any(not isinstance(n, Integral) or n < 1 for n in sizes):
        raise ValueError(f"sizes must be two or more positive whole numbers, got {sizes}")
    return [(n_out, n_in) for n_in, n_out in itertools.pairwise(sizes)]


def alike(shapes, sparsity):
    """The same sparsity for each layer; the whole may miss it by the rounding of each.

    Args:
        shapes: shape (out, in) of each layer.
        sparsity: fraction of each layer's weights to cut, in [0, 1).
    """
    check_sparsity(sparsity)
    return [sparsity] * len(shapes)


def uniform(shapes, sparsity):
    """Spread a sparsity over layers: the same in each, as far as whole numbers allow.

    Args:
        shapes: shape (out, in) of each layer.
        sparsity: fraction of all weights to cut, in [0, 1).

    Returns:
        A sparsity for each layer. Each is a whole number of weights, and together they cut ``round(sparsity * n)`` of
        all n weights.

    Raises:
        ValueError: a layer would be left with nothing.
    """
    check_sparsity(sparsity)
    sizes = np.array([n_out * n_in for n_out, n_in in shapes])
    return _whole_numbers((1 - sparsity) * sizes, sizes, sparsity)


def erk(shapes, sparsity):
    """Spread a sparsity over layers such that small layers keep more: Erdős-Rényi, as Mocanu et al. have it.

    The K in the name is for kernel: in Evci et al., who made it known, convolutions count the sizes of theirs too.
    Dense layers have none, and for these the two are the same.

    The density of a layer is proportional to (in + out) / (in * out), so that its kept weights are proportional to
    in + out. A layer that would keep more weights than it has is dense, and the others share what is left.

    Args:
        shapes: shape (out, in) of each layer.
        sparsity: fraction of all weights to cut, in [0, 1).

    Returns:
        A sparsity for each layer, as :func:`uniform` gives it.

    Raises:
        ValueError: a layer would be left with nothing; as :func:`uniform` does.

    Sources: Mocanu et al., Nature Communications 9 (2018), doi:10.1038/s41467-018-04316-3; Evci et al., ICML 2020,
    doi:10.48550/arXiv.1911.11134.
    """
    check_sparsity(sparsity)
    sizes = np.array([n_out * n_in for n_out, n_in in shapes])
    sums = np.array([n_out + n_in for n_out, n_in in shapes], dtype=float)
    dense = np.zeros(len(shapes), dtype=bool)
    while True:
        left = (1 - sparsity) * sizes.sum() - sizes[dense].sum()
        kept = np.where(dense, sizes, left * sums / sums[~dense].sum() if not dense.all() else sizes)
        if (kept <= sizes).all():
            return _whole_numbers(kept, sizes, sparsity)
        dense |= kept > sizes


def windows(shapes, sparsity):
    """Fan-ins that spread a sparsity over a network's hidden layers: the same part of the inputs of each.

    The last layer stays whole. It is small, and every output has to hear all hidden units.

    Args:
        shapes: shape (out, in) of each layer, from input to output.
        sparsity: fraction of all weights to cut, in [0, 1). Each layer's fan-in is the nearest whole number.

    Returns:
        The fan-in of each layer, for :func:`local` or :func:`fixed_fan_in`.

    Raises:
        ValueError: the last layer alone has more weights than the sparsity leaves.
    """
    check_sparsity(sparsity)
    *hidden, (n_out, last_in) = shapes
    total, last = sum(n_out * n_in for n_out, n_in in shapes), n_out * last_in
    part = ((1 - sparsity) * total - last) / (total - last) if hidden else 1 - (sparsity > 0)
    if part <= 0:
        most = 1 - (last + sum(units for units, _ in hidden)) / total
        sizes = (*(n_in for _, n_in in shapes), n_out)
        raise ValueError(
            f"a network with layers {sizes} whose last layer stays whole can be cut to {most:.1%} at most, "
            f"got {sparsity:.1%}"
        )
    return [*(max(1, round(part * n_in)) for _, n_in in hidden), last_in]


def _whole_numbers(kept, sizes, sparsity):
    """Sparsities of layers that keep about so many weights, rounded such that the total is exact."""
    down = np.floor(kept + 1e-9).astype(int)
    missing = sizes.sum() - round(sparsity * sizes.sum()) - down.sum()
    room = np.where(down < sizes, kept - down, -1.0)
    down[np.argsort(-room, kind="stable")[:missing]] += 1
    if not down.all():
        raise ValueError(f"a sparsity of {sparsity:g} leaves nothing of a layer of {sizes[down == 0][0]} weights")
    return [float(1 - k / n) for k, n in zip(down, sizes, strict=True)]

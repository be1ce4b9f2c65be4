"""Masks: which weights may live. S has the shape of W, (out, in); S[i, j] = 1 keeps the weight from j to i.

A mask is a NumPy array of the integers 0 and 1. Every function that is asked for a sparsity cuts the nearest whole
number of entries that its pattern allows; ``measure.sparsity(S)`` says which sparsity was realised, and
``measure.wiring`` which units of a network are left without inputs or outputs.

First come masks that follow weights, then those that are drawn before there are any.
"""

import itertools

import numpy as np

from sparsecourse.measure import as_array, as_matrix


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
    fine = (S == 0) | (S == 1)  # np.isin would take several times the memory of a large mask
    if not fine.all():
        place = [int(i) for i in np.argwhere(~fine)[0]]
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


# ------------------------------------------------------------------------------------------ masks that follow weights


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
    """Cut whole blocks of W, those with the smallest norm; for blocks at random places, let W be random numbers.

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

    For an N:M mask that is drawn before training, let W be random numbers.

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


# ------------------------------------------------------------------------------- masks drawn before there are weights


def random(shape, sparsity, seed):
    """Cut entries at random, an exact number of them.

    Args:
        shape: shape of the mask, (out, in).
        sparsity: fraction of entries to cut, in [0, 1).
        seed: seed of the random choice. The same seed at a higher sparsity cuts the same entries and more.
    """
    return _keep_largest(np.random.default_rng(seed).random(shape), sparsity)


def fixed_fan_in(shape, fan_in, seed):
    """Let every output hear the same number of inputs, chosen at random: no output is dead.

    Args:
        shape: shape of the mask, (out, in).
        fan_in: inputs of each output, from 1 to in.
        seed: seed of the random choice.
    """
    _check_fan_in(fan_in, shape)
    order = np.random.default_rng(seed).random(shape).argsort(axis=1)
    S = np.zeros(shape, dtype=int)
    np.put_along_axis(S, order[:, :fan_in], 1, axis=1)
    return S


def local(shape, fan_in, wrap=False):
    """Let every output hear a window of neighbouring inputs. Both lie on a line of equal length, evenly spread.

    Args:
        shape: shape of the mask, (out, in).
        fan_in: inputs in each window, from 1 to in.
        wrap: whether the line is a ring, on which the window of the first output reaches round to the last inputs.
            Otherwise the windows at the ends are moved inwards, so that they are as wide as the others.
    """
    _check_fan_in(fan_in, shape)
    n_out, n_in = shape
    centres = (np.arange(n_out) + 0.5) * n_in / n_out
    first = np.floor(centres - fan_in / 2 + 0.5).astype(int)
    if not wrap:
        first = first.clip(0, n_in - fan_in)
    S = np.zeros(shape, dtype=int)
    np.put_along_axis(S, (first[:, None] + np.arange(fan_in)) % n_in, 1, axis=1)
    return S


def small_world(shape, fan_in, moved, seed):
    """Local windows in which some connections are moved to inputs at random places; each fan-in stays as it is.

    Args:
        shape: shape of the mask, (out, in).
        fan_in: inputs of each output, from 1 to in.
        moved: fraction of the connections to move, between 0 (local) and 1. Their number is rounded to a whole one,
            and to what the free places of a row allow.
        seed: seed of the random choices.

    Source: after Watts and Strogatz, Nature 393 (1998), doi:10.1038/30918, who rewire a ring.
    """
    if not 0 <= moved <= 1:
        raise ValueError(f"the fraction of moved connections must lie between 0 and 1, got {moved}")
    S = local(shape, fan_in)
    rng = np.random.default_rng(seed)
    wires = np.argwhere(S)
    for i, j in rng.permutation(wires)[: round(moved * len(wires))]:
        free = np.flatnonzero(S[i] == 0)
        if len(free):
            S[i, rng.choice(free)], S[i, j] = 1, 0
    return S


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


def from_connectome(worm, inputs, outputs, kind="chemical"):
    """The wiring between two groups of the worm's neurons.

    Args:
        worm: a ``connectome.Connectome``.
        inputs, outputs: a type of neuron, for example "sensory", or a list of names.
        kind: kind of connection: "chemical", "gap" or "union".

    Returns:
        Mask (outputs, inputs), the neurons of a type in the connectome's order.

    Raises:
        ValueError: an unknown name, or a group without neurons.
    """
    places = [[worm.index(name) for name in worm.group(chosen)] for chosen in (outputs, inputs)]
    return worm.adjacency(kind)[np.ix_(*places)]


# ----------------------------------------------------------------------------------------------- how many a layer


def uniform(shapes, sparsity):
    """Spread a sparsity over layers: the same in each, as far as whole numbers allow.

    Args:
        shapes: shape (out, in) of each layer.
        sparsity: fraction of all weights to cut, in [0, 1).

    Returns:
        A sparsity for each layer. Each is a whole number of weights, and together they cut ``round(sparsity * n)`` of
        all n weights.
    """
    check_sparsity(sparsity)
    sizes = np.array([n_out * n_in for n_out, n_in in shapes])
    return _whole_numbers((1 - sparsity) * sizes, sizes, sparsity)


def erk(shapes, sparsity):
    """Spread a sparsity over layers such that small layers keep more (Erdős-Rényi for dense layers).

    The density of a layer is proportional to (in + out) / (in * out), so that its kept weights are proportional to
    in + out. A layer that would keep more weights than it has is dense, and the others share what is left.

    Args:
        shapes: shape (out, in) of each layer.
        sparsity: fraction of all weights to cut, in [0, 1).

    Returns:
        A sparsity for each layer, as :func:`uniform` gives it.

    Source: Mocanu et al., Nature Communications 9 (2018), doi:10.1038/s41467-018-04316-3.
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


def windows(sizes, sparsity):
    """Fan-ins that spread a sparsity over a network's hidden layers: the same part of the inputs of each.

    The last layer stays whole. It is small, and every output has to hear all hidden units.

    Args:
        sizes: units of each layer from input to output.
        sparsity: fraction of all weights to cut, in [0, 1). It is met as closely as whole fan-ins allow.

    Returns:
        The fan-in of each layer, for :func:`local` or :func:`fixed_fan_in`.

    Raises:
        ValueError: the last layer alone has more weights than the sparsity leaves.
    """
    check_sparsity(sparsity)
    sizes = list(sizes)
    total = sum(n_in * n_out for n_in, n_out in itertools.pairwise(sizes))
    last = sizes[-2] * sizes[-1]
    part = ((1 - sparsity) * total - last) / (total - last)
    if part <= 0:
        most = 1 - (last + sum(sizes[1:-1])) / total
        raise ValueError(
            f"a network with layers {tuple(sizes)} whose last layer stays whole can be cut to {most:.1%} at most, "
            f"got {sparsity:.1%}"
        )
    return [*(max(1, round(part * n_in)) for n_in in sizes[:-2]), sizes[-2]]


def _whole_numbers(kept, sizes, sparsity):
    """Sparsities of layers that keep about so many weights, rounded such that the total is exact."""
    down = np.floor(kept + 1e-9).astype(int)
    missing = sizes.sum() - round(sparsity * sizes.sum()) - down.sum()
    room = np.where(down < sizes, kept - down, -1.0)
    down[np.argsort(-room, kind="stable")[:missing]] += 1
    return [float(1 - k / n) for k, n in zip(down, sizes, strict=True)]


def _check_fan_in(fan_in, shape):
    n_out, n_in = shape
    if n_out < 1 or fan_in != int(fan_in) or not 1 <= fan_in <= n_in:
        raise ValueError(f"fan_in must be a whole number from 1 to the {n_in} inputs, got {fan_in}")


# ------------------------------------------------------------------------------------------ circuits


def ncp(inputs, inter, command, motor, fanout=6, inter_fanout=4, recurrent=7, motor_fanin=6, seed=0):
    """The wiring of a neural circuit policy: inputs to inter neurons, these to command neurons, these to the motors.

    Every input speaks to ``fanout`` inter neurons, every inter neuron to ``inter_fanout`` command neurons; among the
    command neurons there are ``recurrent`` connections, and every motor neuron hears ``motor_fanin`` of them. A neuron
    that drew no input gets one. The neurons' order is inter, command, motor.

    Args:
        inputs, inter, command, motor: how many.
        fanout, inter_fanout, recurrent, motor_fanin: numbers of connections.
        seed: of the draws.

    Returns:
        Mask of shape (neurons, inputs + neurons): S[i, j] = 1 lets neuron i hear input j, S[i, inputs + k] neuron k.

    Source: Lechner et al., Nature Machine Intelligence 2 (2020), doi:10.1038/s42256-020-00237-3, methods.
    """
    for name, asked, of in (
        ("fanout", fanout, inter),
        ("inter_fanout", inter_fanout, command),
        ("recurrent", recurrent, command**2),
        ("motor_fanin", motor_fanin, command),
    ):
        if not 0 <= asked <= of:
            raise ValueError(f"{name} must lie between 0 and {of}, got {asked}")
    rng = np.random.default_rng(seed)
    neurons = inter + command + motor
    hears = np.zeros((neurons, neurons), dtype=int)
    sees = np.zeros((neurons, inputs), dtype=int)
    inters, commands, motors = np.split(np.arange(neurons), [inter, inter + command])
    sees[inters] = _fan_out(rng, inter, inputs, fanout)
    hears[np.ix_(commands, inters)] = _fan_out(rng, command, inter, inter_fanout)
    chosen = rng.choice(command**2, size=recurrent, replace=False)
    hears[commands[chosen // command], commands[chosen % command]] = 1
    hears[np.ix_(motors, commands)] = _fan_out(rng, command, motor, motor_fanin).T
    return np.concatenate([sees, hears], axis=1)


def _fan_out(rng, listeners, speakers, fanout):
    """Mask (listeners, speakers) in which every speaker has ``fanout`` listeners, and no listener hears nothing."""
    S = np.zeros((listeners, speakers), dtype=int)
    for speaker in range(speakers):
        S[rng.choice(listeners, size=fanout, replace=False), speaker] = 1
    for deaf in np.flatnonzero(~S.any(axis=1)) if fanout else ():
        S[deaf, rng.integers(speakers)] = 1
    return S

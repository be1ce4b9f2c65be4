"""Masks that are drawn before there are weights."""

import numpy as np

from sparsecourse.arrays import as_matrix
from sparsecourse.masks.calculator import check_mask, check_whole
from sparsecourse.masks.pruned import magnitude

SWAPS = 10  # attempts for each connection that is rewired; they leave little of the old wiring


def random(shape, sparsity, seed):
    """Cut entries at random, an exact number of them.

    Args:
        shape: shape of the mask, (out, in).
        sparsity: fraction of entries to cut, in [0, 1).
        seed: seed of the random choice. The same seed at a higher sparsity cuts the same entries and more.
    """
    _check_shape(shape)
    return magnitude(np.random.default_rng(seed).random(shape), sparsity)


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


def small_world(shape, fan_in, rewiring_probability, seed):
    """Local windows in which some connections are moved to inputs at random places; each fan-in stays as it is.

    Args:
        shape: shape of the mask, (out, in).
        fan_in: inputs of each output, from 1 to in.
        rewiring_probability: fraction of the connections to move, between 0 (local) and 1. Their number is rounded to
            a whole one, and to what the free places of a row allow.
        seed: seed of the random choices.

    Source: after Watts and Strogatz, Nature 393 (1998), doi:10.1038/30918, who rewire a ring.
    """
    if not 0 <= rewiring_probability <= 1:
        raise ValueError(f"rewiring_probability must lie between 0 and 1, got {rewiring_probability}")
    S = local(shape, fan_in)
    rng = np.random.default_rng(seed)
    wires = np.argwhere(S)
    for i, j in rng.permutation(wires)[: round(rewiring_probability * len(wires))]:
        free = np.flatnonzero(S[i] == 0)
        if len(free):
            S[i, rng.choice(free)], S[i, j] = 1, 0
    return S


def rewired(mask, seed):
    """Rewire a mask at random, such that every input and every output keeps its number of connections.

    Two connections, from j to i and from n to k, become j to k and n to i, unless one of these is there already.

    Args:
        mask: S, (out, in).
        seed: seed of the random choices.

    Source: Maslov and Sneppen, Science 296 (2002), doi:10.1126/science.1065103.
    """
    S = as_matrix(check_mask(mask))
    if not S.any():
        return S
    ends, sources = np.nonzero(S)
    pairs = np.random.default_rng(seed).integers(len(ends), size=(SWAPS * len(ends), 2))
    pairs = pairs[sources[pairs[:, 0]] != sources[pairs[:, 1]]]  # from one input, the two would become each other
    # One attempt has to follow the other, and there Python's own lists and bytes are several times faster than arrays
    # or sets. The mask is a row of bytes; an entry's place in it is the start of its row plus its column.
    taken, starts = bytearray(S.astype(np.uint8).tobytes()), (S.shape[1] * ends).tolist()
    for a, b, j, n in zip(*pairs.T.tolist(), *sources[pairs].T.tolist(), strict=True):
        i, k = starts[a], starts[b]
        if not (taken[k + j] or taken[i + n]):
            taken[i + j] = taken[k + n] = 0
            taken[k + j] = taken[i + n] = 1
            starts[a], starts[b] = k, i
    return np.frombuffer(taken, np.uint8).reshape(S.shape).astype(int)


def from_connectome(worm, inputs, outputs):
    """The chemical wiring between two groups of the worm's neurons.

    Args:
        worm: a ``connectome.Connectome``.
        inputs, outputs: a type of neuron, for example "sensory", or a list of names.

    Returns:
        Mask (outputs, inputs), the neurons of a type in the connectome's order.

    Raises:
        ValueError: an unknown name, or a group without neurons.
    """
    places = [[worm.index(name) for name in worm.group(chosen)] for chosen in (outputs, inputs)]
    return worm.adjacency()[np.ix_(*places)]


def _check_shape(shape):
    for n in shape:
        check_whole(1, **{"a length of a mask": n})


def _check_fan_in(fan_in, shape):
    _check_shape(shape)
    _, n_in = shape
    check_whole(1, n_in, fan_in=fan_in)


def ncp(inputs, inter, command, motor, fanout=6, inter_fanout=4, recurrent=7, motor_fanin=6, seed=0):
    """The wiring of a neural circuit policy: inputs to inter neurons, these to command neurons, these to the motors.

    Every input speaks to ``fanout`` inter neurons, every inter neuron to ``inter_fanout`` command neurons; among the
    command neurons there are ``recurrent`` connections, and every motor neuron hears ``motor_fanin`` of them. A neuron
    that drew no input gets one; a command neuron that no motor neuron drew is heard by one, which then hears more. The
    neurons' order is inter, command, motor.

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

"""Methods by name, for sweeps and scripts."""

from sparsecourse.masks import WIRINGS, wiring
from sparsecourse.methods.base import Dense
from sparsecourse.methods.pruning import SNIP, Gradual, Iterative, OneShot
from sparsecourse.methods.shrinkage import L1
from sparsecourse.methods.sparse_training import SET, Fixed, RigL

METHODS = {
    "dense": Dense,
    "L1": L1,
    "one-shot": OneShot,
    "gradual": Gradual,
    "lottery": Iterative,
    "SNIP": SNIP,
    "SET": SET,
    "RigL": RigL,
    **dict.fromkeys(WIRINGS, Fixed),
}


def named(name, level, *, sizes, seed, task, start="random", rescale=True, **settings):
    """The method of a name, for one network.

    Args:
        name: one of ``METHODS``.
        level: sparsity to ask for, in [0, 1); for L1 its strength; the dense network has none.
        sizes: units of each layer of the network, from input to output.
        seed: of all that is drawn.
        task: a ``tasks.Task``, for the methods that take gradients.
        start: one of ``masks.WIRINGS``, with which SET and RigL begin.
        rescale: of a wiring that stays, as for :class:`Fixed`.
        **settings: what else the method or the wiring takes.

    Raises:
        ValueError: there is no such method, or it can't do what is asked.
    """
    if name not in METHODS:
        raise ValueError(f"method must be one of {'; '.join(METHODS)}, got {name!r}")
    kind = METHODS[name]
    if kind is Dense:
        return Dense(**settings)
    if kind is Fixed:
        return Fixed(wiring(name, sizes, level, seed, **settings), label=name, rescale=rescale)
    if kind is SNIP:
        return SNIP(level, task, seed=seed, **settings)
    if kind is SET:
        return SET(wiring(start, sizes, level, seed), seed=seed, **settings)
    if kind is RigL:
        return RigL(wiring(start, sizes, level, seed), task, seed=seed, **settings)
    return kind(level, **settings)

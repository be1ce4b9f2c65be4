"""Methods by name, for sweeps and scripts."""

import inspect

from sparsecourse.masks import WIRINGS, wiring
from sparsecourse.masks.wirings import check_settings, settings_of
from sparsecourse.methods.base import Dense
from sparsecourse.methods.pruning import SNIP, Gradual, Iterative, OneShot
from sparsecourse.methods.shrinkage import L1
from sparsecourse.methods.sparse_training import SET, Fixed, RigL

# What a class needs stands in its own signature: :func:`named` gives it what it calls sparsity, strength, masks, task,
# seed or label. All else that it takes is a setting.
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


def named(name, level, *, sizes, seed, task, **settings):
    """The method of a name, for one network.

    Args:
        name: one of ``METHODS``.
        level: sparsity to ask for, in [0, 1); for L1 its strength; the dense network has none.
        sizes: units of each layer of the network, from input to output.
        seed: of all that is drawn.
        task: a ``tasks.Task``, for the methods that take gradients.
        **settings: what else the method takes, and the wiring that it has or begins with. SET and RigL begin with the
            one of ``masks.WIRINGS`` that ``start`` names; without it, with "random".

    Raises:
        ValueError: there is no such method, a setting is unknown to it or missing, or it can't do what is asked.
    """
    if name not in METHODS:
        raise ValueError(f"method must be one of {'; '.join(METHODS)}, got {name!r}")
    kind = METHODS[name]
    takes = _parameters(kind)
    given = {"sparsity": level, "strength": level, "masks": None, "task": task, "seed": seed, "label": name}
    own = {each: takes[each] for each in takes if each not in given}
    start = {"start": "random"} if "masks" in takes and name not in WIRINGS else {}
    drawn = settings.get("start", "random") if start else name
    of_wiring = settings_of(drawn) if "masks" in takes else {}
    check_settings(f"method {name!r}", settings, own | start | of_wiring)
    if "masks" in takes:
        chosen = {each: settings[each] for each in of_wiring if each in settings}
        given["masks"] = wiring(drawn, sizes, level, seed, **chosen)
    chosen = {each: settings[each] for each in own if each in settings}
    return kind(**{each: given[each] for each in takes if each in given}, **chosen)


def _parameters(kind):
    """What a class is called with, {name: default}; ``**settings`` stand for what the class that it inherits takes."""
    found = {}
    for each in kind.__mro__:
        own = inspect.signature(each).parameters.values()
        found |= {p.name: p.default for p in own if p.kind is p.POSITIONAL_OR_KEYWORD and p.name not in found}
        if all(p.kind is not p.VAR_KEYWORD for p in own):
            break
    return found

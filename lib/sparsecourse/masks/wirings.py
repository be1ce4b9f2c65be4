"""Wirings by name: a mask for each layer of a network."""

import inspect

from sparsecourse.masks.distributions import erk, layer_shapes, uniform, windows
from sparsecourse.masks.drawn import fixed_fan_in, local, random, small_world

# Each is what one layer is drawn by, and how much each layer gets. "random" keeps as many weights in each layer as
# "local" does: they differ in the places only. What draws takes a shape, that amount and a seed; whatever else it takes
# is a setting of the wiring.
WIRINGS = {
    "random": (fixed_fan_in, windows),
    "local": (lambda shape, fan_in, seed: local(shape, fan_in), windows),
    "small world": (small_world, windows),
    "random, uniform": (random, uniform),
    "random, ERK": (random, erk),
}


def wiring(name, sizes, sparsity, seed, **settings):
    """Masks of one kind for all layers of a fully connected network.

    Args:
        name: one of ``WIRINGS``.
        sizes: units of each layer from input to output.
        sparsity: fraction of all weights to cut, in [0, 1).
        seed: of the draws; layer k is drawn with 10 seed + k.
        **settings: what else the drawing function asks for.

    Returns:
        One mask (out, in) a layer.

    Raises:
        ValueError: there is no such wiring or setting, or the sparsity can't be met by it.
    """
    check_settings(f"wiring {name!r}", settings, settings_of(name))
    draw, distribution = WIRINGS[name]
    shapes = layer_shapes(sizes)
    return [
        draw(shape, amount, seed=10 * seed + layer, **settings)
        for layer, (shape, amount) in enumerate(zip(shapes, distribution(shapes, sparsity), strict=True))
    ]


def settings_of(name):
    """The settings of a wiring, {name: default}. Raises ValueError where there is no such wiring."""
    if name not in WIRINGS:
        raise ValueError(f"wiring must be one of {'; '.join(WIRINGS)}, got {name!r}")
    _, _, *others = inspect.signature(WIRINGS[name][0]).parameters.values()
    return {each.name: each.default for each in others if each.name != "seed"}


def check_settings(what, settings, takes):
    """Raise ValueError unless settings are such as are taken, and complete.

    Args:
        what: takes them; for the message.
        settings: {name: value}.
        takes: {name: default}, ``inspect.Parameter.empty`` where there is none.
    """
    for name in settings:
        if name not in takes:
            raise ValueError(f"{what} takes no setting {name!r}; it takes {', '.join(takes) or 'none'}")
    for name, default in takes.items():
        if default is inspect.Parameter.empty and name not in settings:
            raise ValueError(f"{what} needs the setting {name!r}")

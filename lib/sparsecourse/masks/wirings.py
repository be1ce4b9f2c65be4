"""Wirings by name: a mask for each layer of a network."""

from sparsecourse.masks.distributions import erk, layer_shapes, uniform, windows
from sparsecourse.masks.drawn import fixed_fan_in, local, random, small_world

# Each is what one layer is drawn by, and how much each layer gets. "random" keeps as many weights in each layer as
# "local" does: they differ in the places only.
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
        ValueError: there is no such wiring, or the sparsity can't be met by it.
    """
    if name not in WIRINGS:
        raise ValueError(f"wiring must be one of {'; '.join(WIRINGS)}, got {name!r}")
    draw, distribution = WIRINGS[name]
    shapes = layer_shapes(sizes)
    return [
        draw(shape, amount, seed=10 * seed + layer, **settings)
        for layer, (shape, amount) in enumerate(zip(shapes, distribution(shapes, sparsity), strict=True))
    ]

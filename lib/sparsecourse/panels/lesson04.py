"""Panel of lesson 04: the worm's map."""

import functools

from sparsecourse import connectome, plots
from sparsecourse.panels.building import build, dropdown, slider


def panel():
    """Pick a neuron and see its partners; raise the threshold and see which connections stay."""
    worm = connectome.load("cook2019")
    controls = {
        "neuron": dropdown("neuron", sorted(worm.neurons.index), "AVAL"),
        "kind": dropdown("kind", connectome.KINDS, "chemical"),
        "threshold": slider("weight at least", 1, 1, 30, 1),
    }
    return build(controls, functools.partial(picture, worm))


def picture(worm, neuron, kind="chemical", threshold=1):
    """One neuron on the map of the body, with the partners that it has above a threshold.

    Args:
        worm: a ``connectome.Connectome``.
        neuron: name of the neuron.
        kind: one of ``connectome.KINDS``.
        threshold: smallest weight that counts, in the units of the kind.
    """
    edges = worm.edges(kind)
    strong = edges[edges["weight"] >= threshold]
    own = strong[(strong["pre"] == neuron) | (strong["post"] == neuron)]
    fig = plots.worm(worm.neurons, own, chosen=neuron)
    sends, receives = (own["pre"] == neuron).sum(), (own["post"] == neuron).sum()
    n = len(worm.neurons)
    words = (
        f"{neuron} ({worm.neurons.loc[neuron, 'type']}) sends to {sends} neurons (black) and hears {receives} (olive). "
        f"In the whole worm {len(strong):,} {kind} connections weigh at least {threshold} ({worm.units[kind]}): "
        f"sparsity {1 - len(strong) / n**2:.1%}."
    )
    return fig, f"Map of the worm's body with the partners of {neuron}. {words}", words

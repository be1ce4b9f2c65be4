"""How much each weight counts: a matrix (out, in) a layer that carries a mask, larger is dearer."""

import torch
from torch.func import functional_call

from sparsecourse.methods.base import masked_layers


def magnitude(network):
    """|W ⊙ S|. A weight that was cut counts less than nothing: it goes before one that is kept and happens to be 0."""
    return [_kept_first(layer, layer.W.detach().abs()) for layer in masked_layers(network)]


def _kept_first(layer, scores):
    """Scores, none of them negative, with -1 where the layer's mask cuts."""
    return scores.masked_fill(layer.mask == 0, -1)


def saliency(network, task, batch, generator):
    """What the loss would miss of each weight w with gradient g, to first order: |w g|.

    Args:
        network, task, batch, generator: as for :func:`gradients`.

    Source: Lee et al., "SNIP: single-shot network pruning", ICLR 2019, doi:10.48550/arXiv.1810.02340.
    """
    found = gradients(network, task, batch, generator)
    pairs = zip(masked_layers(network), found, strict=True)
    return [_kept_first(layer, (layer.W.detach() * g).abs()) for layer, g in pairs]


def chance(network, generator):
    """A random number for each entry, drawn by a ``torch.Generator``."""
    return [torch.rand(layer.mask.shape, generator=generator).to(layer.mask) for layer in masked_layers(network)]


@torch.enable_grad()
def gradients(network, task, batch, generator):
    """Gradient of the loss with respect to each entry of each W ⊙ S, those that the mask cuts included.

    Args:
        network: a module with layers that carry a mask; it is left as it is.
        task: a ``tasks.Task``.
        batch: how many training examples to take them over.
        generator: a ``torch.Generator`` that draws the examples.
    """
    X, y = task.train
    rows = torch.randperm(len(X), generator=generator)[:batch]
    layers = masked_layers(network)
    names = {module: f"{name}." if name else "" for name, module in network.named_modules()}
    # the same network with zeros where its masks cut, and masks that cut nothing
    used = {f"{names[layer]}W": layer.weight.detach().requires_grad_() for layer in layers}
    whole = {f"{names[layer]}mask": torch.ones_like(layer.mask) for layer in layers}
    device = layers[0].W.device
    outputs = functional_call(network, used | whole, (X[rows].to(device),))
    return torch.autograd.grad(task.loss(outputs, y[rows].to(device)), list(used.values()))

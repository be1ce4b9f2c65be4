"""Networks with sparse layers: made, measured, and copied with something else in the layers' places."""

import collections
import copy
import itertools

import torch
from torch import nn
from torch.nn.utils import parametrize

from sparsecourse.layers.linear import SparseLinear
from sparsecourse.layers.places import HOOKS, give_hooks
from sparsecourse.masks import layer_shapes


def mlp(sizes, seed, masks=None):
    """A fully connected network of sparse layers with ReLU between them.

    Args:
        sizes: units of each layer from input to output, for example (40, 100, 100, 10).
        seed: seed of weights and biases. The global generator is left as it was.
        masks: one mask (out, in) a layer; None keeps every weight.

    Returns:
        An ``nn.Sequential``.
    """
    shapes = layer_shapes(sizes)
    masks = [None] * len(shapes) if masks is None else list(masks)
    if len(masks) != len(shapes):
        raise ValueError(f"layers {tuple(sizes)} have {len(shapes)} weight matrices, got {len(masks)} masks")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        linear = [SparseLinear(n_in, n_out, mask=mask) for (n_out, n_in), mask in zip(shapes, masks, strict=True)]
    between = itertools.chain.from_iterable((layer, nn.ReLU()) for layer in linear)
    return nn.Sequential(*list(between)[:-1])


def sparse_layers(network):
    """The layers of a network that carry a mask, in order.

    Raises:
        ValueError: two of them share one W, so that there is no saying which mask cuts it, and copies would be apart;
            or a W is pruned or parametrized besides.
    """
    found = [module for module in network.modules() if isinstance(module, SparseLinear)]
    shared = shared_parameters(network)
    if names := [name for name, W in shared.items() if any(W is layer._parameters.get("W") for layer in found)]:
        raise ValueError(f"a sparse layer needs a W of its own, and layers share {', '.join(names)}")
    if any("W" not in layer._parameters for layer in found):
        raise ValueError("a sparse layer has its mask already: its W can't be pruned or parametrized as well")
    return found


def shared_parameters(network):
    """The parameters that two or more modules of a network hold, {name: parameter}."""
    holders = collections.Counter(id(p) for module in network.modules() for p in module.parameters(recurse=False))
    return {name: parameter for name, parameter in network.named_parameters() if holders[id(parameter)] > 1}


def matrices(network):
    """Where a network keeps what has two or more dimensions, once each, as its modules compute with it.

    A :class:`SparseLinear` keeps its matrix as ``W``, ``torch.nn.utils.prune`` as ``weight_orig``,
    ``torch.nn.utils.parametrize`` in a module of its own, and what is stored sparsely is no matrix at all; in all four
    the module computes with what its ``weight`` is.

    Yields:
        (name, module, name of its attribute).

    Raises:
        ValueError: there is a mask among the parameters; what it cuts is known to its module alone.
    """
    seen = set()
    for path, module in network.named_modules():
        if "parametrizations" in path.split("."):
            continue
        kept = {name: p for name, p in module.named_parameters(recurse=False) if p.ndim >= 2 and id(p) not in seen}
        seen |= {id(parameter) for parameter in kept.values()}
        for name, parameter in kept.items():
            if name.endswith("mask") and not parameter.requires_grad:
                raise ValueError(
                    f"{_joined(path, name)} is a mask, and only {type(module).__name__} knows what it cuts: give the "
                    "matrices as they are computed with, {name: matrix}"
                )
        computed = [*module.parametrizations] if parametrize.is_parametrized(module) else []
        if isinstance(getattr(type(module), "weight", None), property) and "weight" not in computed:
            computed.append("weight")
        plain = [name for name in kept if not (name == "W" and isinstance(module, SparseLinear))]
        names = [name.removesuffix("_orig") if hasattr(module, name.removesuffix("_orig")) else name for name in plain]
        for name in computed + names:
            yield _joined(path, name), module, name


def _joined(path, name):
    return f"{path}.{name}" if path else name


def masked_weights(network):
    """The weights of a network as its layers use them: {name: tensor}, for all that has two or more dimensions.

    Raises:
        ValueError: there is no saying what they are: see :func:`matrices` and :func:`sparse_layers`.
    """
    for layer in sparse_layers(network):
        layer.check_mask()
    found = {name: getattr(module, attribute) for name, module, attribute in matrices(network)}
    return {name: W.to_dense() for name, W in found.items() if W.ndim >= 2}


def replaced(network, replacement):
    """A copy of a network in which every sparse layer has been replaced. Hooks go along.

    Args:
        network: any module; itself a sparse layer, it is replaced as a whole.
        replacement: called with a copy of each sparse layer, returns the module to put in its place.

    Raises:
        ValueError: as :func:`sparse_layers`.
    """
    # What stands in the memo is taken for a copy that is there already, wherever the network uses the layer. Hooks come
    # last: one that is a method of the network then belongs to the copy.
    memo, found = {}, sparse_layers(network)
    for layer in found:
        without_hooks = {id(getattr(layer, name)): collections.OrderedDict() for name in HOOKS[:-1]}
        memo[id(layer)] = replacement(copy.deepcopy(layer, without_hooks))
    copied = copy.deepcopy(network, memo)
    for layer in found:
        give_hooks(memo[id(layer)], layer, memo)
    return copied


def fold(network):
    """A copy of a network for inference: every sparse layer becomes an ``nn.Linear`` that holds W ⊙ S.

    The product with the mask is then paid once and not at every call. Trained on, the copy does not stay sparse.
    """
    return replaced(network, SparseLinear.to_linear)

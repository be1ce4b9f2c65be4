"""The sparse layer, y = (W ⊙ S) x + b, and networks made of it."""

import collections
import copy
import itertools

import torch
from torch import nn
from torch.nn.utils import prune

from sparsecourse.masks import check_mask, layer_shapes


class SparseLinear(nn.Linear):
    """A linear layer some of whose weights are cut: y = (W ⊙ S) x + b.

    The parameter is W. The mask S is a buffer: it is saved, moved and copied with the layer, and no optimiser sees it.
    What lies in W behind a zero of S gets no gradient and, as long as it is finite, has no effect: 0 · ∞ is no number.

    ``weight`` is W ⊙ S, computed whenever it is asked for. So whatever reads the weight of an ``nn.Linear`` reads what
    this layer computes with. It is for reading: what is written into it is lost. Change W, or :meth:`set_mask`.

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        bias: whether there is a b.
        mask: S, (out, in), of zeros and ones of any type; None keeps every weight.
        device, dtype: where the layer lies and what its numbers, real ones, are, as for ``nn.Linear``.

    Raises:
        ValueError: the mask holds something else, or is not of shape (out, in); or the numbers are not real.
    """

    def __init__(self, in_features, out_features, bias=True, mask=None, device=None, dtype=None):
        nn.Module.__init__(self)  # that of nn.Linear would make a parameter named weight
        like = {"device": device, "dtype": dtype}
        self.in_features, self.out_features = in_features, out_features
        self.W = nn.Parameter(torch.empty(out_features, in_features, **like))
        if not self.W.is_floating_point():
            raise ValueError(f"the numbers of a sparse layer are real, got {dtype}")
        self.bias = nn.Parameter(torch.empty(out_features, **like)) if bias else None
        self.register_buffer("mask", torch.ones(out_features, in_features, **like))
        if mask is not None:
            self.set_mask(mask)
        self.reset_parameters()

    @property
    def weight(self):
        """W ⊙ S, what the layer computes with, (out, in)."""
        return self.W * self.mask

    def __setattr__(self, name, value):
        if name == "weight":
            raise AttributeError("the weight of a sparse layer is W ⊙ S: give it another W, or another mask")
        super().__setattr__(name, value)

    @classmethod
    @torch.no_grad()
    def from_linear(cls, linear, mask=None):
        """A sparse layer with a copy of the weights and biases of a linear one, in its mode, with its hooks.

        Args:
            linear: an ``nn.Linear``; of a sparse layer the copy gets what it computes with.
            mask: (out, in); None keeps what the layer keeps: of a dense one the weights that are not zero.
        """
        layer = _stand_in(cls, linear)
        layer.W.copy_(linear.weight)
        layer.set_mask(getattr(linear, "mask", linear.weight != 0) if mask is None else mask)
        return layer

    @torch.no_grad()
    def to_linear(self):
        """An ``nn.Linear`` that computes the same, in the same mode, with the same hooks.

        It holds W ⊙ S, and forgets what W holds behind the mask.
        """
        linear = _stand_in(nn.Linear, self)
        linear.weight.copy_(self.weight)
        return linear

    def set_mask(self, mask):
        """Put another mask in place; W stays as it is."""
        mask = check_mask(mask, self.W.shape)
        with torch.no_grad():
            self.mask.copy_(torch.as_tensor(mask))

    def fan_in(self):
        """How many inputs each output hears: the kept weights of its row, (out,), counted in 32 bits at least."""
        return self.mask.sum(dim=1, dtype=torch.promote_types(self.mask.dtype, torch.float32))

    @torch.no_grad()
    def reset_parameters(self):
        """Draw weights and biases as ``nn.Linear`` does for a layer with as many inputs as the mask leaves.

        Each row is uniform up to 1 / sqrt(kept weights of the row), so that sums do not shrink with the density.

        Source: Evci et al., "Gradient flow in sparse neural networks", AAAI 2022, doi:10.48550/arXiv.2010.03533.
        """
        bound = self.fan_in().clamp(min=1).rsqrt()
        self.W.uniform_(-1, 1).mul_(bound[:, None])
        if self.bias is not None:
            self.bias.uniform_(-1, 1).mul_(bound)

    def extra_repr(self):
        return f"{super().extra_repr()}, sparsity={1 - self.mask.mean().item():.3f}"

    def _load_from_state_dict(self, state_dict, prefix, *others):
        """Take also what a dense layer or ``torch.nn.utils.prune`` has saved, and no mask that is none."""
        for theirs, ours in (("weight", "W"), ("weight_orig", "W"), ("weight_mask", "mask")):
            if prefix + theirs in state_dict:
                state_dict[prefix + ours] = state_dict.pop(prefix + theirs)
                state_dict.setdefault(prefix + "mask", self.mask)  # of a dense layer: this one's own stays
        try:
            if prefix + "mask" in state_dict and not state_dict[prefix + "mask"].is_meta:
                check_mask(state_dict[prefix + "mask"])
        except ValueError as error:
            state_dict[prefix + "mask"] = self.mask
            others[-1].append(f"{prefix}mask: {error}.")
        super()._load_from_state_dict(state_dict, prefix, *others)


def _stand_in(kind, linear):
    """A linear layer of a kind to take another one's place: it has its biases, and :func:`inherit` its ways."""
    (n_out, n_in), b = linear.weight.shape, linear.bias
    layer = nn.utils.skip_init(
        kind, n_in, n_out, bias=b is not None, device=linear.weight.device, dtype=linear.weight.dtype
    )
    if b is not None:
        layer.bias.copy_(b)
    inherit(layer, linear)
    return layer


def inherit(module, original):
    """Let a module that takes another one's place be in its mode, have its hooks, and freeze what it freezes.

    Args:
        module: with one weight matrix, or values of one, and perhaps biases, as a linear layer has them.
        original: the linear layer whose place it takes.

    Raises:
        ValueError: the original's mask is none any more, as after averaging several.
    """
    if isinstance(original, SparseLinear):
        check_mask(original.mask)
    module.train(original.training)
    for name, hooks in vars(original).items():
        if "hook" in name:
            vars(module)[name] = copy.copy(hooks)
    for key, hook in original._forward_pre_hooks.items():
        if isinstance(hook, prune.BasePruningMethod):  # it would write a weight before each call
            del module._forward_pre_hooks[key]
    biases = {id(module.bias), id(original.bias)}
    learns = any(parameter.requires_grad for parameter in original.parameters() if id(parameter) not in biases)
    for parameter in module.parameters():
        parameter.requires_grad_(original.bias.requires_grad if id(parameter) in biases else learns)


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
        ValueError: another layer holds the same W: then there is no saying which mask cuts it.
    """
    found = [module for module in network.modules() if isinstance(module, SparseLinear)]
    shared = shared_parameters(network)
    if any(layer.W is parameter for layer in found for parameter in shared.values()):
        raise ValueError(f"a sparse layer needs a W of its own, and layers share {', '.join(shared)}")
    return found


def shared_parameters(network):
    """The parameters that two or more modules of a network hold, {name: parameter}."""
    holders = collections.Counter(id(p) for module in network.modules() for p in module.parameters(recurse=False))
    return {name: parameter for name, parameter in network.named_parameters() if holders[id(parameter)] > 1}


def matrices(network):
    """The parameters of a network that have two or more dimensions, wherever they are kept.

    Yields:
        (name, module that uses it, name there). A :class:`SparseLinear` keeps its matrix as ``W``,
        ``torch.nn.utils.prune`` as ``weight_orig``, ``torch.nn.utils.parametrize`` as
        ``parametrizations.weight.original``; in all three ``weight`` is what the layer computes with.

    Raises:
        ValueError: there is a mask among them; what it cuts is known to its module alone.
    """
    for name, parameter in network.named_parameters():
        if parameter.ndim < 2:
            continue
        *path, attribute = name.split(".")
        if path[-2:-1] == ["parametrizations"]:
            *path, _, attribute = path
        owner = network.get_submodule(".".join(path))
        if attribute.endswith("mask"):
            raise ValueError(
                f"{name} is a mask, and only {type(owner).__name__} knows what it cuts: give its matrices as they are "
                "computed with, as {name: matrix}"
            )
        if isinstance(owner, SparseLinear) and attribute == "W":
            attribute = "weight"
        elif hasattr(owner, attribute.removesuffix("_orig")):
            attribute = attribute.removesuffix("_orig")
        yield ".".join([*path, attribute]), owner, attribute


def masked_weights(network):
    """The weights of a network as its layers use them: {name: tensor}, for parameters of two or more dimensions.

    Raises:
        ValueError: there is no saying what they are: see :func:`matrices` and :func:`sparse_layers`.
    """
    for layer in sparse_layers(network):
        check_mask(layer.mask)
    return {name: getattr(owner, attribute) for name, owner, attribute in matrices(network)}


def replaced(network, replacement):
    """A copy of a network in which every sparse layer has been replaced.

    Args:
        network: any module; itself a sparse layer, it is replaced as a whole.
        replacement: called with a copy of each sparse layer, returns the module to put in its place.
    """
    # what stands in the memo is taken for a copy that is there already, wherever the network uses the layer
    memo = {id(layer): replacement(copy.deepcopy(layer)) for layer in sparse_layers(network)}
    return copy.deepcopy(network, memo)


def fold(network):
    """A copy of a network for inference: every sparse layer becomes an ``nn.Linear`` that holds W ⊙ S.

    The product with the mask is then paid once and not at every call. Trained on, the copy does not stay sparse.
    """
    return replaced(network, SparseLinear.to_linear)

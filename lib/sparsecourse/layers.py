"""The sparse layer, y = (W ⊙ S) x + b, and networks made of it."""

import copy
import itertools

import torch
from torch import nn

from sparsecourse.masks import check_mask, layer_shapes


class SparseLinear(nn.Module):
    """A linear layer some of whose weights are cut: y = (W ⊙ S) x + b.

    The mask S is a buffer: it is saved, moved and copied with the layer, and no optimiser sees it. What lies in W
    behind a zero of S has no effect and gets no gradient.

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        bias: whether there is a b.
        mask: S, (out, in), of zeros and ones of any type; None keeps every weight.
        device, dtype: where the layer lies and what its numbers are, as for ``nn.Linear``.

    Raises:
        ValueError: the mask holds something else, or is not of shape (out, in).
    """

    def __init__(self, in_features, out_features, bias=True, mask=None, device=None, dtype=None):
        super().__init__()
        like = {"device": device, "dtype": dtype}
        self.in_features, self.out_features = in_features, out_features
        self.weight = nn.Parameter(torch.empty(out_features, in_features, **like))
        self.bias = nn.Parameter(torch.empty(out_features, **like)) if bias else None
        self.register_buffer("mask", torch.ones(out_features, in_features, **like))
        if mask is not None:
            self.set_mask(mask)
        self.reset_parameters()

    @classmethod
    @torch.no_grad()
    def from_linear(cls, linear, mask=None):
        """A sparse layer with a copy of the weights and biases of an ``nn.Linear``.

        Args:
            linear: the layer to copy.
            mask: (out, in); None keeps the weights that are not zero.
        """
        layer = _layer(cls, linear.weight, linear.bias)
        layer.set_mask(linear.weight != 0 if mask is None else mask)
        return layer

    @torch.no_grad()
    def to_linear(self):
        """An ``nn.Linear`` that computes the same: it holds W ⊙ S, and forgets what W holds behind the mask."""
        return _layer(nn.Linear, self.masked_weight, self.bias)

    def set_mask(self, mask):
        """Put another mask in place; the weights stay as they are."""
        mask = check_mask(mask, self.weight.shape)
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
        self.weight.uniform_(-1, 1).mul_(bound[:, None])
        if self.bias is not None:
            self.bias.uniform_(-1, 1).mul_(bound)

    @property
    def masked_weight(self):
        """W ⊙ S, what the layer computes with."""
        return self.weight * self.mask

    def forward(self, x):
        return nn.functional.linear(x, self.masked_weight, self.bias)

    def extra_repr(self):
        sizes = f"in_features={self.in_features}, out_features={self.out_features}"
        return f"{sizes}, bias={self.bias is not None}, sparsity={1 - self.mask.mean().item():.3f}"


def _layer(kind, W, b):
    """A layer of a kind with copies of these weights and biases, which may be None."""
    n_out, n_in = W.shape
    layer = nn.utils.skip_init(kind, n_in, n_out, bias=b is not None, device=W.device, dtype=W.dtype)
    layer.weight.copy_(W)
    if b is not None:
        layer.bias.copy_(b)
    return layer


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
    """The layers of a network that carry a mask, in order."""
    return [module for module in network.modules() if isinstance(module, SparseLinear)]


def masked_weights(network):
    """The weights of a network as its layers use them: {name: tensor}, for parameters of two or more dimensions.

    A :class:`SparseLinear` computes with W ⊙ S. ``torch.nn.utils.prune`` keeps the full matrix as ``weight_orig``,
    ``torch.nn.utils.parametrize`` as ``parametrizations.weight.original``; what the layer computes with is ``weight``.
    """
    found = {}
    for name, parameter in network.named_parameters():
        if parameter.ndim < 2:
            continue
        *path, attribute = name.split(".")
        if path[-2:-1] == ["parametrizations"]:
            *path, _, attribute = path
        owner = network.get_submodule(".".join(path))
        if hasattr(owner, attribute.removesuffix("_orig")):
            attribute = attribute.removesuffix("_orig")
        is_masked = isinstance(owner, SparseLinear) and attribute == "weight"
        W = owner.masked_weight if is_masked else getattr(owner, attribute)
        found[".".join([*path, attribute])] = W
    return found


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

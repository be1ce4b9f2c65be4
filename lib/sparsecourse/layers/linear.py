"""The sparse layer, y = (W ⊙ S) x + b."""

import torch
from torch import nn
from torch.nn.utils import prune

from sparsecourse.layers.places import give_hooks, take_place
from sparsecourse.masks import check_mask


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
        """A sparse layer with a copy of the weights and biases of a linear one, in its mode; its hooks stay behind.

        Args:
            linear: an ``nn.Linear``; of a sparse layer the copy gets what it computes with.
            mask: (out, in); None keeps what the layer keeps: of a dense one the weights that are not zero.
        """
        layer = _stand_in(cls, linear)
        weight = linear.weight
        for hook in linear._forward_pre_hooks.values():
            if isinstance(hook, prune.BasePruningMethod):  # its weight is that of the last call until the next
                weight = hook.apply_mask(linear)
        layer.W.copy_(weight)
        layer.set_mask(getattr(linear, "mask", weight != 0) if mask is None else mask)
        return layer

    @torch.no_grad()
    def to_linear(self):
        """An ``nn.Linear`` that computes the same, in the same mode, with the same hooks.

        It holds W ⊙ S, and forgets what W holds behind the mask.
        """
        linear = _stand_in(nn.Linear, self)
        linear.weight.copy_(self.weight)
        give_hooks(linear, self)
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
        if self.W.is_meta:  # there is nothing to draw, and rsqrt would import torch's compiler, 80 MB
            return
        self.check_mask()  # memory that was made and not filled holds no mask
        bound = self.fan_in().clamp(min=1).rsqrt()
        self.W.uniform_(-1, 1).mul_(bound[:, None])
        if self.bias is not None:
            self.bias.uniform_(-1, 1).mul_(bound)

    def check_mask(self):
        """Raise ValueError unless the mask is one: after masks of several layers were averaged it is no longer."""
        if not (self.mask.is_meta or ((self.mask == 0) | (self.mask == 1)).all()):
            check_mask(self.mask)  # which says where

    def extra_repr(self):
        sparsity = "" if self.mask.is_meta else f", sparsity={1 - self.mask.float().mean().item():.3f}"
        return super().extra_repr() + sparsity

    def _load_from_state_dict(
        self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
    ):
        """Take also what a dense layer or ``torch.nn.utils.prune`` has saved, and no mask that is none."""
        W, S = f"{prefix}W", f"{prefix}mask"
        for theirs in (f"{prefix}weight", f"{prefix}weight_orig"):
            if theirs in state_dict and W not in state_dict:
                state_dict[W] = state_dict.pop(theirs)
                if S not in state_dict and not self.mask.is_meta:  # a dense layer has none: this one's own stays
                    state_dict[S] = state_dict.pop(f"{prefix}weight_mask", self.mask)
        if isinstance(mask := state_dict.get(S), torch.Tensor) and not mask.is_meta:
            try:
                check_mask(mask)
            except ValueError as error:
                mask = self.mask
                error_msgs.append(f"{S}: {error}.")
            # of the type of W, also where the tensors of the file themselves take the layer's place
            state_dict[S] = mask.to(state_dict.get(W, self.W))
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )

    def __setstate__(self, state):
        parameters = state["_parameters"]
        if "weight" in parameters:  # pickled when W had that name
            parameters["W"] = parameters.pop("weight")
        super().__setstate__(state)


def _stand_in(kind, linear):
    """A linear layer of a kind to take another one's place, with its biases."""
    (n_out, n_in), b = linear.weight.shape, linear.bias
    like = {"device": linear.weight.device, "dtype": linear.weight.dtype}
    layer = nn.utils.skip_init(kind, n_in, n_out, bias=b is not None, **like)
    if b is not None:
        layer.bias.copy_(b)
    take_place(layer, linear)
    return layer

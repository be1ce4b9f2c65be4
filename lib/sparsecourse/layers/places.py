"""How one module takes another one's place: with its hooks, in its mode, freezing what it freezes."""

import copy

from torch import nn

HOOKS = (
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_is_full_backward_hook",
)


def give_hooks(module, original, memo=None):
    """Let a module that takes another one's place have its forward and backward hooks.

    Args:
        module, original: any modules.
        memo: of the ``copy.deepcopy`` that the module belongs to; None gives it the hooks themselves.
    """
    for name in HOOKS:
        hooks = getattr(original, name)
        setattr(module, name, copy.copy(hooks) if memo is None else copy.deepcopy(hooks, memo))


def take_place(module, original):
    """Let a module that takes a linear layer's place be in its mode, and freeze what it freezes.

    Args:
        module: with one weight matrix, or values of one, and perhaps biases, as a linear layer has them.
        original: the linear layer.

    Raises:
        ValueError: the original's mask is none any more, or it has a way of its own to compute, which would be lost.
    """
    if type(original).forward is not nn.Linear.forward:
        raise ValueError(f"a {type(original).__name__} computes in a way of its own, which would be lost")
    if hasattr(original, "check_mask"):
        original.check_mask()
    learns = any(parameter.requires_grad for parameter in original.parameters() if parameter is not original.bias)
    for parameter in module.parameters():
        parameter.requires_grad_(original.bias.requires_grad if parameter is module.bias else learns)
    module.train(original.training)

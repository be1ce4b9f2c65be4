"""Exercises of lesson 09: the W · S trick."""

import copy

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

from sparselab import masks
from sparselab.exercises.checking import Exercise, Mistake
from sparselab.layers import SparseLinear


def _gradient_case(batch, n_out, n_in, sparsity, seed):
    rng = np.random.default_rng(seed)
    x, dy = (rng.integers(1, 4, size=(batch, n)) * rng.choice([-1, 1], size=(batch, n)) for n in (n_in, n_out))
    return x.astype(float), dy.astype(float), masks.random((n_out, n_in), sparsity, seed)


# ---------------------------------------------------------------- 9.2, a layer that may be written in many ways


def _jacobian(layer, n_in):
    """How each output of a layer follows each of its inputs, (out, in)."""
    one = next(layer.parameters())
    x = torch.zeros(n_in, dtype=one.dtype)
    return torch.autograd.functional.jacobian(lambda x: layer(x[None])[0], x).numpy()


def _judge_layer(layer, n_in, n_out, S):
    """What is wrong with a sparse layer, or None."""
    if not isinstance(layer, nn.Module):
        return f"gave a {type(layer).__name__}, which is not an nn.Module: no optimiser would find its parameters."
    own = dict(layer.named_parameters())
    if not own:
        return "gave a module without parameters: wrap what is to be learned in nn.Parameter."
    if not all(parameter.isfinite().all() for parameter in own.values()):
        return "holds numbers that are not finite: torch.empty leaves in W whatever lay in memory. Draw them."
    layer = copy.deepcopy(layer)
    for parameter in layer.parameters():
        parameter.requires_grad_()
    try:
        y = layer(torch.zeros(2, n_in))
    except RuntimeError as error:
        return f"can't take examples with {n_in} inputs: {str(error).splitlines()[0]}."
    if tuple(y.shape) != (2, n_out):
        return f"turns 2 examples into an output of shape {tuple(y.shape)}, expected (2, {n_out})."
    cut, kept = S == 0, S == 1
    J = _jacobian(layer, n_in)
    if (J[cut] != 0).any():
        return "lets inputs through where the mask has a zero. Compute with W ⊙ S."
    if (J[kept] == 0).any():
        return "has weights of exactly zero where the mask has a one: they are not cut, so draw them at random."
    gradients = torch.autograd.grad(y.sum(), list(layer.parameters()), allow_unused=True)
    if not any(gradient is not None and gradient.any() for gradient in gradients):
        return "answers an input of zeros with nothing that could be learned: b is missing."
    mask_like = [name for name, parameter in own.items() if np.array_equal(parameter.detach().numpy(), S)]
    if mask_like:
        return f"keeps its mask as the parameter `{mask_like[0]}`, so it counts as something to learn."
    saved = [value for name, value in layer.state_dict().items() if name not in own]
    if not any(value.shape == S.shape and np.array_equal(value.numpy(), S) for value in saved):
        return "does not save its mask: state_dict lacks S. Use register_buffer."
    try:
        half = copy.deepcopy(layer).to(torch.bfloat16)(torch.zeros(2, n_in, dtype=torch.bfloat16)).dtype
    except RuntimeError as error:
        return f"stops after .to(torch.bfloat16): {str(error).splitlines()[0]}. Is S a buffer of W's type?"
    if half != torch.bfloat16:
        return f"computes in {half} after .to(torch.bfloat16). Give S the type of W, so that both move together."
    return _judge_size(J, S)


def _judge_size(J, S):
    """Do the weights fit the inputs that are left? Judged where enough are there to tell."""
    fan_in = S.sum(axis=1)
    if S.sum() < 1000:
        return None
    size = float(np.sqrt((J**2).sum(axis=1) / fan_in)[fan_in > 0].mean() * np.sqrt(fan_in.mean()))
    if 0.4 <= size <= 1.6:
        return None
    words = "too small: were they drawn for a row without zeros?" if size < 0.4 else "too large."
    return (
        f"has weights of a size that does not fit {fan_in.mean():.0f} inputs left of {S.shape[1]}: "
        f"root mean square × √(fan-in) is {size:.2f}, expected about 0.6, or 1.4 for He's choice. They are {words}"
    )


class _Faulty(SparseLinear):
    """A sparse layer that the catalogue's mistakes are made from."""

    def __init__(self, n_in, n_out, S, wrong=None):
        super().__init__(n_in, n_out, S=S)
        if wrong in ("attribute", "parameter"):
            mask = self.S
            del self.S
            self.S = nn.Parameter(mask, requires_grad=False) if wrong == "parameter" else mask
        if wrong == "dense init":
            nn.init.kaiming_uniform_(self.weight, a=5**0.5)  # nn.Linear's own choice
        if wrong == "empty":
            nn.init.constant_(self.weight, torch.nan)  # memory as it may be found
        if wrong == "no bias":
            self.bias = None
        if wrong == "zeros":
            nn.init.zeros_(self.weight)


class _Unmasked(_Faulty):
    def forward(self, x):
        return nn.functional.linear(x, self.weight, self.bias)


class _Plain:
    """Not a module."""

    def __init__(self, n_in, n_out, S):
        self.layer = SparseLinear(n_in, n_out, S=S)

    def __call__(self, x):
        return self.layer(x)


# ------------------------------------------------------------------------- 9.4, a mask for any layer


class _Mask(nn.Module):
    def __init__(self, S):
        super().__init__()
        self.register_buffer("S", S)

    def forward(self, W):
        return W * self.S


def _masked(layer, S):
    parametrize.register_parametrization(layer, "weight", _Mask(torch.as_tensor(S).to(layer.weight)))
    return layer


def _masked_once(layer, S):
    with torch.no_grad():
        layer.weight *= torch.as_tensor(S).to(layer.weight)
    return layer


def _masked_the_wrong_way(layer, S):
    return _masked(layer, 1 - torch.as_tensor(S))


def _masked_for_good(layer, S):
    _masked(layer, S)
    parametrize.remove_parametrizations(layer, "weight")
    return layer


def _convolution(n_out, n_in, width, seed):
    torch.manual_seed(seed)
    conv = nn.Conv1d(n_in, n_out, width)
    return conv, masks.random((n_out, n_in * width), 0.6, seed).reshape(n_out, n_in, width)


def _linear(n_out, n_in, seed):
    torch.manual_seed(seed)
    return nn.Linear(n_in, n_out), masks.random((n_out, n_in), 0.5, seed)


def _judge_masked(result, layer, S):
    """What is wrong with a masked layer, or None. ``layer`` is the layer as it was before."""
    if not isinstance(result, nn.Module):
        return f"gave a {type(result).__name__}, expected the layer."
    before = layer.weight.detach().numpy()
    with torch.no_grad():
        now = result.weight.numpy().copy()
    if (now[S == 0] != 0).any():
        kept = "where the mask has a one" if (now[S == 1] == 0).all() else "nowhere"
        return f"leaves weights where the mask has a zero; it cuts {kept}."
    if not np.array_equal(now[S == 1], before[S == 1]):
        return "changes weights that the mask keeps."
    shape = (5, S.shape[1]) if S.ndim == 2 else (5, S.shape[1], 9)
    x = torch.linspace(-1, 1, int(np.prod(shape))).reshape(shape)
    optimiser = torch.optim.SGD(result.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        (result(x) - 1).square().mean().backward()
        optimiser.step()
    with torch.no_grad():
        trained = result.weight.numpy()
    if (trained[S == 0] != 0).any():
        return "is cut at first, but after two steps of training the weights are back. The mask must act at every call."
    if np.array_equal(trained[S == 1], before[S == 1]):
        return "no longer learns: two steps of training left the kept weights as they were."
    return None


EXERCISES = [
    Exercise(
        number="9.1",
        answer="gradient",
        reference=lambda x, dy, S: (dy.T @ x) * S,
        cases=(
            _gradient_case(1, 2, 3, 0.5, seed=1),
            _gradient_case(3, 2, 3, 0.5, seed=2),
            _gradient_case(4, 3, 3, 0.0, seed=3),
            _gradient_case(8, 5, 7, 0.8, seed=4),
        ),
        mistakes=(
            Mistake(
                lambda x, dy, S: dy.T @ x,
                "That is the gradient with respect to W ⊙ S. One step further back, to W, S multiplies once more.",
            ),
            Mistake(
                lambda x, dy, S: (x.T @ dy) * S.T,
                "Rows and columns are swapped: the gradient has the shape of W, (out, in).",
            ),
            Mistake(
                lambda x, dy, S: (dy.T @ x) * S / len(x),
                "That is the mean over the examples. The loss adds them up, so add up their gradients.",
            ),
            Mistake(
                lambda x, dy, S: (dy.T @ x) * (1 - S),
                "The mask is turned round: the gradient is zero where S is 0, not where it is 1.",
            ),
            Mistake(
                lambda x, dy, S: dy @ S,
                "That is the way to the inputs. The gradient of W multiplies dy with x.",
            ),
        ),
    ),
    Exercise(
        number="9.2",
        answer="sparse_layer",
        reference=lambda n_in, n_out, S: SparseLinear(n_in, n_out, S=S),
        accept=_judge_layer,
        cases=(
            (3, 2, np.array([[1, 0, 1], [0, 1, 0]])),
            (5, 4, masks.random((4, 5), 0.4, seed=0)),
            (400, 300, masks.random((300, 400), 0.95, seed=1)),
        ),
        praise=lambda layer: "It is a module, moves, is saved, and its weights fit the inputs that are left.",
        mistakes=(
            Mistake(_Plain, "which is not an nn.Module: no optimiser would find its parameters."),
            Mistake(
                lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "empty"),
                "torch.empty leaves in W whatever lay in memory. Draw them.",
            ),
            Mistake(_Unmasked, "lets inputs through where the mask has a zero. Compute with W ⊙ S."),
            Mistake(lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "zeros"), "so draw them at random."),
            Mistake(lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "no bias"), "b is missing."),
            Mistake(lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "parameter"), "so it counts as something to learn."),
            Mistake(
                lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "attribute"),
                "does not save its mask: state_dict lacks S. Use register_buffer.",
            ),
            Mistake(lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "dense init"), "drawn for a row without zeros?"),
            Mistake(lambda n_in, n_out, S: SparseLinear(n_out, n_in, S=S.T), "can't take examples with 3 inputs"),
        ),
    ),
    Exercise(
        number="9.3",
        answer="left_behind",
        reference=lambda w, learning_rate, decay, steps: w * (1 - learning_rate * decay) ** steps,
        cases=((1.0, 0.1, 0.5, 1), (2.0, 0.1, 0.5, 2), (-0.4, 0.05, 0.1, 20), (0.3, 0.1, 0.0, 50)),
        mistakes=(
            Mistake(
                lambda w, learning_rate, decay, steps: w,
                "The gradient of the loss is zero there, but weight decay has one of its own, decay · w.",
            ),
            Mistake(
                lambda w, learning_rate, decay, steps: w * (1 - learning_rate * decay * steps),
                "Each step shrinks what the step before left: the factors multiply.",
            ),
            Mistake(
                lambda w, learning_rate, decay, steps: w * (1 - decay) ** steps,
                "The learning rate is missing: a step moves by learning_rate · decay · w.",
            ),
            Mistake(
                lambda w, learning_rate, decay, steps: 0.0,
                "It is invisible in y, but not zero: W still holds a number there.",
            ),
        ),
    ),
    Exercise(
        number="9.4",
        answer="masked",
        reference=_masked,
        accept=_judge_masked,
        cases=(_linear(2, 3, seed=1), _linear(6, 8, seed=2), _convolution(3, 2, 5, seed=3)),
        praise=lambda layer: "The same line masks a convolution, or any layer that has a weight.",
        mistakes=(
            Mistake(
                _masked_once,
                "is cut at first, but after two steps of training the weights are back. "
                "The mask must act at every call.",
            ),
            Mistake(_masked_the_wrong_way, "it cuts where the mask has a one."),
            Mistake(_masked_for_good, "The mask must act at every call."),
        ),
    ),
]

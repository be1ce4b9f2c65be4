"""Exercises of lesson 09: the W · S trick."""

import copy

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

from sparsecourse import masks
from sparsecourse.exercises.checking import Exercise, Mistake
from sparsecourse.layers import SparseLinear

SHARED = (
    "shares its mask with whoever made it: when zeros were written into the array S afterwards, all weights of "
    "the layer were cut. `torch.as_tensor` and `torch.from_numpy` copy nothing; `torch.tensor` does."
)


def _gradient_case(batch, n_out, n_in, sparsity, seed):
    rng = np.random.default_rng(seed)
    x, dy = (rng.integers(1, 4, size=(batch, n)) * rng.choice([-1, 1], size=(batch, n)) for n in (n_in, n_out))
    return x.astype(float), dy.astype(float), masks.random((n_out, n_in), sparsity, seed)


def _gradient_in_whole_numbers(x, dy, S):
    G = np.zeros_like(S)
    for example, slopes in zip(x, dy, strict=True):
        G += (np.outer(slopes, example) * S).astype(S.dtype)
    return G


# ---------------------------------------------------------------- 9.2, a layer that may be written in many ways


def _response(layer, shape):
    """How each output of a layer follows each entry of one example of a shape: its weights as they act, (out, *shape).

    For a convolution the example is as long as the kernel, so that there is one place for it.
    """
    x = torch.zeros(shape, dtype=next(layer.parameters()).dtype)
    return torch.autograd.functional.jacobian(lambda x: layer(x[None])[0].flatten(), x).numpy()


def _trained(layer, shape, steps=2):
    """A layer after some steps on whatever examples of a shape, with momentum and decay."""
    if not any(parameter.requires_grad for parameter in layer.parameters()):
        return layer
    x = torch.linspace(-1, 1, 5 * int(np.prod(shape))).reshape(5, *shape)
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    for _ in range(steps):
        optimiser.zero_grad()
        (layer(x) - 1).square().mean().backward()
        optimiser.step()
    return layer


def _shaken(layer):
    """A layer with every number that it could learn moved, as an optimiser with a memory may do."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter += 1
    return layer


def _is_shared(layer, own, S):
    """Does a layer keep the very array that it was given? Zeros have been written into that since."""
    kept = [tensor for name, tensor in layer.state_dict().items() if name not in own]
    kept += [value for value in vars(layer).values() if isinstance(value, (torch.Tensor, np.ndarray))]
    return any(tuple(tensor.shape) in (S.shape, S.T.shape) and not tensor.any() for tensor in kept)


def _is_mask(tensor, S):
    """Is a tensor the mask, its complement, or one of the two transposed?"""
    return any(tensor.shape == M.shape and np.array_equal(tensor.float().numpy(), M) for M in (S, 1 - S, S.T, 1 - S.T))


def _judge_layer(layer, n_in, n_out, S):
    """What is wrong with a sparse layer, or None."""
    if not isinstance(layer, nn.Module):
        return f"gave a {type(layer).__name__}, which is not an nn.Module: no optimiser would find its parameters."
    own = dict(layer.named_parameters())
    if not own:
        return "gave a module without parameters: wrap what is to be learned in nn.Parameter."
    if not all(parameter.isfinite().all() for parameter in own.values()):
        return "holds numbers that are not finite: torch.empty leaves in W whatever lay in memory. Draw them."
    try:
        copy.deepcopy(layer)
    except RuntimeError as error:
        return f"can't be copied with copy.deepcopy: {str(error).splitlines()[0]}"
    if _is_shared(layer, own, S):
        return SHARED
    return _judge_answers(layer, n_in, n_out, S) or _judge_mask(layer, own, n_in, S) or _judge_training(layer, n_in, S)


def _judge_answers(layer, n_in, n_out, S):
    """What is wrong with what a layer computes, or None."""
    try:
        y = layer(torch.zeros(2, n_in))
    except RuntimeError as error:
        return f"can't take examples with {n_in} inputs: {str(error).splitlines()[0]}."
    if tuple(y.shape) != (2, n_out):
        return f"turns 2 examples into an output of shape {tuple(y.shape)}, expected (2, {n_out})."
    W, b = _response(layer, (n_in,)), y[0].detach().numpy()
    if not np.isfinite(W).all() or not np.isfinite(b).all():
        return "gives outputs that are not finite. Does a row of the mask have no input left?"
    if (W[S == 0] != 0).any():
        return "lets inputs through where the mask has a zero. Compute with W ⊙ S."
    if (W[S == 1] == 0).any():
        return "has weights of exactly zero where the mask has a one: they are not cut, so draw them at random."
    return _judge_start(W, b, S)


def _judge_mask(layer, own, n_in, S):
    """What is wrong with the way in which a layer keeps its mask, or None."""
    mask_like = [name for name, parameter in own.items() if _is_mask(parameter.detach(), S)]
    if mask_like:
        return f"keeps its mask as the parameter `{mask_like[0]}`, so it counts as something to learn."
    if not any(_is_mask(value, S) for name, value in layer.state_dict().items() if name not in own):
        return "does not save its mask: state_dict lacks S. Use register_buffer."
    try:
        moved = copy.deepcopy(layer).to(torch.bfloat16)(torch.zeros(2, n_in, dtype=torch.bfloat16)).dtype
    except RuntimeError as error:
        return f"stops after .to(torch.bfloat16): {str(error).splitlines()[0]}. Is S a buffer of W's type?"
    if moved != torch.bfloat16:
        return f"computes in {moved} after .to(torch.bfloat16). Give S the type of W, so that both change together."
    return None


def _judge_training(layer, n_in, S):
    """What is wrong with how a layer learns, or None."""
    before, y = _response(layer, (n_in,)), layer(torch.zeros(1, n_in))
    layer = _trained(copy.deepcopy(layer), (n_in,))
    if np.array_equal(_response(layer, (n_in,)), before):
        return "does not learn W: two steps of training left the weights as they were."
    if torch.equal(layer(torch.zeros(1, n_in)), y):
        return "answers an input of zeros with nothing that could be learned: b is missing."
    if (_response(_shaken(layer), (n_in,))[S == 0] != 0).any():
        return "is cut at first, but its weights grow back when an optimiser moves W. Multiply with S at every call."
    return None


def _judge_start(W, b, S):
    """Do the first weights and biases fit the inputs that are left? Judged where enough are there to tell."""
    fan_in = S.sum(axis=1)
    if S.sum() < 1000:
        return None
    sizes = []
    for few in (True, False):  # rows with few inputs and rows with many: one spread can't fit both
        rows = (fan_in < np.median(fan_in)) == few
        own = W[rows][S[rows] == 1]
        if len(np.unique(own)) < len(own) / 2:
            return "has many weights that are equal. Draw each at random, or all units learn the same."
        sizes.append(float(np.sqrt(np.square(own).mean() * fan_in[rows].mean())))
        if abs(own.mean()) > 0.25 * np.sqrt(np.square(own).mean()):
            return "has weights that lean to one side of zero. Draw them around zero: both signs alike."
    few, many = sizes
    found = (
        f"Root mean square × √(fan-in) is {few:.2f} in rows with few inputs and {many:.2f} in rows with many. Expected "
        "is about 0.6 in both, or up to 1.4 as in He's choice."
    )
    if many > 1.6 * few:
        return (
            f"draws the same spread of weights for all rows. Each needs one for its own number of inputs left. {found}"
        )
    if few > 1.6 * many:
        return f"makes weights too small where many inputs are left: is there a root missing? {found}"
    if not 0.4 <= min(sizes) <= max(sizes) <= 1.52:
        return f"has weights that are too {'small' if min(sizes) < 0.4 else 'large'}: count along the row. {found}"
    if (np.abs(b) > 2.5 / np.sqrt(np.maximum(fan_in, 1))).any():
        return "has first biases that are larger than the weights of their row. Draw them as small, or take 0."
    scaled = b * np.sqrt(fan_in)
    if abs(scaled.mean()) > 0.4 * np.sqrt(np.square(scaled).mean()):
        return "has first biases that lean to one side of zero."
    return None


class _Faulty(SparseLinear):
    """A sparse layer that the catalogue's mistakes are made from."""

    def __init__(self, n_in, n_out, S, wrong=None):
        super().__init__(n_in, n_out, mask=S)
        if wrong in ("attribute", "parameter"):
            mask = self.mask
            del self.mask
            self.mask = nn.Parameter(mask, requires_grad=False) if wrong == "parameter" else mask
        if wrong == "dense init":
            nn.init.kaiming_uniform_(self.W, a=5**0.5)  # nn.Linear's own choice
        if wrong == "small":
            self.W.data /= 4
        if wrong == "empty":
            nn.init.constant_(self.W, torch.nan)  # memory as it may be found
        if wrong == "no bias":
            self.bias = None
        if wrong == "zeros":
            nn.init.zeros_(self.W)
        if wrong == "no root":
            self.W.data = (2 * torch.rand(n_out, n_in) - 1) / self.mask.sum(dim=1, keepdim=True).clamp(min=1)
        if wrong == "large":
            self.W.data *= 4
        if wrong == "equal":
            self.W.data = 1 / self.mask.sum(dim=1, keepdim=True).clamp(min=1).sqrt().expand(n_out, n_in).clone()
        if wrong == "one spread":
            self.W.data = (2 * torch.rand(n_out, n_in) - 1) / self.mask.sum(dim=1).min().clamp(min=20).sqrt()
        if wrong == "positive":
            self.W.data.abs_()
        if wrong == "large biases":
            nn.init.normal_(self.bias)
        if wrong == "shared":
            self.mask = torch.as_tensor(S)


class _Deaf(_Faulty):
    def forward(self, x):
        return nn.functional.linear(x, self.W * self.mask / self.mask.sum(dim=1, keepdim=True), self.bias)


class _CutOnce(_Faulty):
    def __init__(self, n_in, n_out, S):
        super().__init__(n_in, n_out, S)
        with torch.no_grad():
            self.W *= self.mask

    def forward(self, x):
        return nn.functional.linear(x, self.W, self.bias)


class _NotLearned(_Faulty):
    def forward(self, x):
        return nn.functional.linear(x, (self.W * self.mask).detach(), self.bias)


class _Unmasked(_Faulty):
    def forward(self, x):
        return nn.functional.linear(x, self.W, self.bias)


class _Plain:
    """Not a module."""

    def __init__(self, n_in, n_out, S):
        self.layer = SparseLinear(n_in, n_out, mask=S)

    def __call__(self, x):
        return self.layer(x)


# ------------------------------------------------------------------------- 9.4, a mask for any layer


class _Mask(nn.Module):
    def __init__(self, S):
        super().__init__()
        self.register_buffer("S", S)

    def forward(self, W):
        return W * self.S


class _MaskAsAttribute(nn.Module):
    def __init__(self, S):
        super().__init__()
        self.S = S

    def forward(self, W):
        return W * self.S


def _masked_by_attribute(layer, S):
    parametrize.register_parametrization(layer, "weight", _MaskAsAttribute(torch.tensor(S).to(layer.weight)))
    return layer


def _without_bias(layer, S):
    layer.bias = None
    return _masked(layer, S)


def _masked(layer, S):
    parametrize.register_parametrization(layer, "weight", _Mask(torch.tensor(S).to(layer.weight)))
    return layer


def _masked_by_the_callers_array(layer, S):
    parametrize.register_parametrization(layer, "weight", _Mask(torch.as_tensor(S).to(layer.weight)))
    return layer


def _masked_once(layer, S):
    with torch.no_grad():
        layer.weight *= torch.as_tensor(S).to(layer.weight)
    return layer


def _masked_the_wrong_way(layer, S):
    return _masked(layer, 1 - S)


def _frozen(layer, S):
    return _masked(layer, S).requires_grad_(False)


def _convolution(n_out, n_in, width, seed):
    torch.manual_seed(seed)
    conv = nn.Conv1d(n_in, n_out, width)
    return conv, masks.random((n_out, n_in * width), 0.6, seed).reshape(n_out, n_in, width)


def _linear(n_out, n_in, seed, dtype=int):
    torch.manual_seed(seed)
    return nn.Linear(n_in, n_out), masks.random((n_out, n_in), 0.5, seed).astype(dtype)


def _judge_masked(result, layer, S):
    """What is wrong with a masked layer, or None. ``layer`` is the layer as it was before."""
    if not isinstance(result, nn.Module):
        return f"gave a {type(result).__name__}, expected the layer."
    if _is_shared(result, dict(result.named_parameters()), S):
        return SHARED
    before, shape = layer.weight.detach().numpy(), S.shape[1:]
    example = torch.zeros(1, *shape)
    now = _response(result, shape).reshape(S.shape)
    if (now[S == 0] != 0).any():
        cuts = "the entries where the mask has a one" if not now[S == 1].any() else "nothing"
        return f"uses weights where the mask has a zero; it cuts {cuts}."
    if not np.allclose(now[S == 1], before[S == 1]):
        return "changes weights that the mask keeps."
    if not torch.allclose(result(example), layer(example)):
        return "answers an input of zeros otherwise than the layer did: its bias is lost or changed."
    trained = _trained(result, shape)
    if np.allclose(_response(trained, shape).reshape(S.shape), now):
        return "no longer learns: two steps of training left the weights as they were."
    if (_response(_shaken(trained), shape).reshape(S.shape)[S == 0] != 0).any():
        return "is cut at first, but the weights come back when an optimiser moves them. Mask at every call."
    own = dict(result.named_parameters())
    if not any(_is_mask(value, S) for name, value in result.state_dict().items() if name not in own):
        return "does not save its mask, and does not move it with `.to`: state_dict lacks S. Keep it as a buffer."
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
            (np.array([[0.5, -0.25], [1.5, 0.125]]), np.array([[0.3], [-0.7]]), np.array([[1, 1]])),
            (np.array([[1.5, 0.25, 2.5]]), np.array([[0.6, 1.7]]), np.array([[1, 0, 1], [1, 1, 0]])),
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
                "The mask is reversed: the gradient is zero where S is 0, not where it is 1.",
            ),
            Mistake(
                _gradient_in_whole_numbers,
                "Each addition loses the digits after the decimal point: `np.zeros_like(S)` holds whole numbers.",
            ),
            Mistake(
                lambda x, dy, S: (dy[-1:].T @ x[-1:]) * S,
                "Only the last example is left: add up with `+=`.",
            ),
            Mistake(
                lambda x, dy, S: (dy[:1].T @ x[:1]) * S,
                "Only the first example is there: add up over all.",
            ),
            Mistake(
                lambda x, dy, S: np.outer(dy.sum(axis=0), x.sum(axis=0)) * S,
                "That adds up first and multiplies then. Each example's own product is added.",
            ),
            Mistake(
                lambda x, dy, S: dy @ S,
                "That is the way to the inputs. The gradient of W multiplies dy with x.",
            ),
            Mistake(lambda x, dy, S: (dy.T @ x) * (S - 1), "S - 1 is zero where the mask keeps. Multiply with S."),
            Mistake(
                lambda x, dy, S: np.where(S == 1, dy.T @ x, 1e-6 * (dy.T @ x)),
                "Behind the mask the gradient is exactly zero, not small.",
            ),
        ),
    ),
    Exercise(
        number="9.2",
        answer="sparse_layer",
        reference=lambda n_in, n_out, S: SparseLinear(n_in, n_out, mask=S),
        accept=_judge_layer,
        cases=(
            (3, 2, np.array([[1, 0, 1], [0, 1, 0]], dtype=np.float32)),
            (3, 2, np.array([[0, 1, 1], [1, 1, 0]])),  # of the same size, and another mask
            (5, 4, np.array([[1, 1, 0, 1, 0], [0, 0, 0, 0, 0], [0, 1, 1, 0, 1], [1, 1, 1, 1, 1]])),  # a deaf output
            (400, 200, np.concatenate([masks.random((100, 400), cut, seed=1) for cut in (0.96, 0.36)])),
        ),
        praise=lambda layer: "It is a module, moves, is saved, and its weights fit the inputs that are left.",
        mistakes=(
            Mistake(_Plain, "which is not an nn.Module: no optimiser would find its parameters."),
            Mistake(
                lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "empty"),
                "torch.empty leaves in W whatever lay in memory. Draw them.",
            ),
            Mistake(_Deaf, "Does a row of the mask have no input left?"),
            Mistake(_CutOnce, "its weights grow back when an optimiser moves W. Multiply with S at every call."),
            Mistake(_NotLearned, "does not learn W: two steps of training left the weights as they were."),
            Mistake(
                lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "small"), "has weights that are too small: count along"
            ),
            Mistake(
                lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "large"), "has weights that are too large: count along"
            ),
            Mistake(_Unmasked, "lets inputs through where the mask has a zero. Compute with W ⊙ S."),
            Mistake(lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "zeros"), "so draw them at random."),
            Mistake(lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "equal"), "has many weights that are equal."),
            Mistake(
                lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "one spread"),
                "draws the same spread of weights for all rows. Each",
            ),
            Mistake(lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "positive"), "lean to one side of zero."),
            Mistake(
                lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "large biases"),
                "larger than the weights of their row.",
            ),
            Mistake(
                lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "shared"),
                "shares its mask with whoever made it",
            ),
            Mistake(lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "no bias"), "b is missing."),
            Mistake(lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "parameter"), "so it counts as something to learn."),
            Mistake(
                lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "attribute"),
                "does not save its mask: state_dict lacks S. Use register_buffer.",
            ),
            Mistake(
                lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "dense init"),
                "√(fan-in) is 0.11 in rows with few inputs",
            ),
            Mistake(lambda n_in, n_out, S: _Faulty(n_in, n_out, S, "no root"), "is there a root missing?"),
            Mistake(lambda n_in, n_out, S: SparseLinear(n_out, n_in, mask=S.T), "can't take examples with 3 inputs"),
        ),
    ),
    Exercise(
        number="9.3",
        answer="left_behind",
        reference=lambda w, learning_rate, decay, steps: w * (1 - learning_rate * decay) ** steps,
        cases=(
            (2.0, 0.1, 0.5, 1),
            (2.0, 0.1, 0.5, 2),
            (-0.4, 0.05, 0.1, 20),
            (0.3, 0.1, 0.0, 50),
            (0.02, 0.2, 0.5, 60),
        ),
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
                lambda w, learning_rate, decay, steps: (1 - learning_rate * decay) ** steps,
                "That is the factor. What is left of w?",
            ),
            Mistake(
                lambda w, learning_rate, decay, steps: w * (1 + learning_rate * decay) ** steps,
                "The sign is reversed: a step goes against the gradient, so w shrinks.",
            ),
            Mistake(
                lambda w, learning_rate, decay, steps: w * (1 - learning_rate * decay),
                "That is what one step leaves. Take all of them.",
            ),
            Mistake(
                lambda w, learning_rate, decay, steps: 0.0,
                "It is invisible in y, but not zero: W still holds a number there.",
            ),
            Mistake(
                lambda w, learning_rate, decay, steps: w - learning_rate * decay * steps,
                "The pull is in proportion to w: decay · w.",
            ),
            Mistake(
                lambda w, learning_rate, decay, steps: w * np.exp(-learning_rate * decay * steps),
                "That is for ever smaller steps. These have a length: each multiplies by 1 - learning_rate · decay.",
            ),
            Mistake(
                lambda w, learning_rate, decay, steps: w * (1 - learning_rate * decay) ** (steps - 1),
                "That is one step too few.",
            ),
            Mistake(
                lambda w, learning_rate, decay, steps: w / (1 + learning_rate * decay) ** steps,
                "A step takes a part off: multiply by 1 - learning_rate · decay.",
            ),
        ),
    ),
    Exercise(
        number="9.4",
        answer="masked",
        reference=_masked,
        accept=_judge_masked,
        cases=(_linear(2, 3, seed=1), _linear(6, 8, seed=2, dtype=np.float32), _convolution(3, 2, 5, seed=3)),
        praise=lambda layer: "The same line masks a convolution, or any layer that has a weight.",
        mistakes=(
            Mistake(_masked_once, "the weights come back when an optimiser moves them. Mask at every call."),
            Mistake(_masked_the_wrong_way, "it cuts the entries where the mask has a one."),
            Mistake(lambda layer, S: layer, "it cuts nothing."),
            Mistake(_masked_by_the_callers_array, "shares its mask with whoever made it"),
            Mistake(_masked_by_attribute, "state_dict lacks S. Keep it as a buffer."),
            Mistake(_without_bias, "its bias is lost or changed."),
            Mistake(_frozen, "no longer learns: two steps of training left the weights as they were."),
        ),
    ),
]

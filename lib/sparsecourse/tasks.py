"""Tasks: what a network has to learn, as data in three parts and a loss.

The training part is for the weights, the validation part for every choice that a person makes, the test part for the
one number at the end.
"""

import functools
import gzip
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from mnist1d.data import get_dataset_args, make_dataset
from torch import nn

from sparsecourse import tables

PARTS = ("train", "validation", "test")
PUBLISHED, FOR_VALIDATION = 42, 43  # seeds of MNIST-1D's examples


@dataclass(frozen=True)
class Task:
    """Data in three parts, and what counts as good.

    Attributes:
        name: for tables and figures.
        train, validation, test: each (X, y); X (examples, inputs) in float32, y (examples,) of class numbers or
            (examples, outputs) of numbers.
        loss: called with (outputs, y), gives the mean over the examples.
        metric: name of what ``evaluate`` measures.
        evaluate: called with (outputs, y), gives one number an example; their mean is the metric.
    """

    name: str
    train: tuple
    validation: tuple
    test: tuple
    loss: Callable
    metric: str
    evaluate: Callable

    def __post_init__(self):
        for part in PARTS:
            X, y = getattr(self, part)
            if len(X) != len(y) or len(X) == 0:
                raise ValueError(f"the {part} part of {self.name} has {len(X)} inputs and {len(y)} answers")
            if not (torch.isfinite(X).all() and torch.isfinite(y).all()):
                raise ValueError(f"the {part} part of {self.name} holds NaN or infinity")
            if X.shape[1:] != self.train[0].shape[1:] or y.shape[1:] != self.train[1].shape[1:]:
                raise ValueError(f"the {part} part of {self.name} has another shape than its training part")


def _of_classes(name, train, validation, test):
    return Task(name, train, validation, test, nn.functional.cross_entropy, "accuracy", _correct)


def _correct(outputs, y):
    return (outputs.argmax(dim=-1) == y).float()


def _squared_error(outputs, y):
    return (outputs - y).square().mean(dim=-1)


def mnist1d(shuffled=False):
    """MNIST-1D: ten wavy lines of 40 points, moved, stretched and noisy; which digit is it?

    Generated on the spot. The 4,000 training and 1,000 test examples are those that its authors publish; the 1,000
    validation examples are drawn in the same way with another seed.

    Args:
        shuffled: the twin in which the 40 inputs of every example are in one and the same scrambled order. It holds
            the same information, but neighbours mean nothing there.

    Source: Greydanus and Kobak, "Scaling down deep learning with MNIST-1D", ICML 2024, doi:10.48550/arXiv.2011.14439.
    """
    return _mnist1d(bool(shuffled))  # the same object, however it was asked for: a population then shares its data


@functools.cache
def _mnist1d(shuffled):
    published, fresh = _draw(5000, PUBLISHED), _draw(1000, FOR_VALIDATION)
    order = np.random.default_rng(0).permutation(40) if shuffled else np.arange(40)

    def part(*pieces):
        X, y = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
        return torch.tensor(X[:, order], dtype=torch.float32), torch.tensor(y)

    return _of_classes(
        "MNIST-1D, shuffled" if shuffled else "MNIST-1D",
        train=part((published["x"], published["y"])),
        validation=part((fresh["x"], fresh["y"]), (fresh["x_test"], fresh["y_test"])),
        test=part((published["x_test"], published["y_test"])),
    )


def fresh_mnist1d(examples, seed):
    """MNIST-1D with test examples that nobody has seen: to judge what may have been chosen by the published ones.

    Args:
        examples: how many, a multiple of 5.
        seed: of the drawing; 42 and 43 are those of the published and of the validation examples.
    """
    if seed in (PUBLISHED, FOR_VALIDATION):
        raise ValueError(f"seed {seed} gives examples that were there before: take another")
    drawn = _draw(examples, seed)
    X, y = (np.concatenate([drawn[name], drawn[f"{name}_test"]]) for name in ("x", "y"))
    return replace(mnist1d(), test=(torch.tensor(X, dtype=torch.float32), torch.tensor(y)))


def mnist(examples=60_000):
    """MNIST: handwritten digits of 28 × 28 grey pixels, the images row by row as 784 numbers.

    The last twelfth of the training examples, 5,000 of all 60,000, is the validation part; the 10,000 published test
    examples are the test part. Pixels are shifted and scaled to mean 0 and standard deviation 1 over the training part.

    Args:
        examples: how many of the published training examples to take, the first ones, for a quick try.

    Raises:
        sparsecourse.tables.DamagedDataError: the files are not there: they come with the course's folder, not with an
            installed package.

    Source: LeCun, Bottou, Bengio and Haffner, Proceedings of the IEEE 86 (1998), doi:10.1109/5.726791.
    """
    if not 12 <= examples <= 60_000:
        raise ValueError(f"MNIST has 60,000 training examples, of which at least 12 must be taken, got {examples}")
    return _mnist(int(examples))


@functools.cache
def _mnist(examples):
    X, y = (_idx(f"train-{kind}.gz")[:examples] for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"))
    X_test, y_test = (_idx(f"t10k-{kind}.gz") for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"))
    first = examples - examples // 12  # of the validation part
    mean, deviation = X[:first].mean(dtype=np.float64), X[:first].std(dtype=np.float64)

    def part(X, y):
        pixels = ((X.reshape(len(X), -1) - mean) / deviation).astype(np.float32)
        return torch.from_numpy(pixels), torch.tensor(y, dtype=torch.int64)

    return _of_classes("MNIST", part(X[:first], y[:first]), part(X[first:], y[first:]), part(X_test, y_test))


def _idx(name):
    """Array of a gzipped IDX file: two zero bytes, type, number of axes, their lengths, then the numbers as bytes."""
    raw = gzip.decompress(tables.verified("mnist", name).read_bytes())
    axes = raw[3]
    shape = np.frombuffer(raw, ">u4", count=axes, offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * axes).reshape(shape)


def _draw(examples, seed):
    """Examples from the generator of the package mnist1d, whose global seeding is undone."""
    arguments = get_dataset_args()
    arguments.num_samples, arguments.seed = examples, seed
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        return make_dataset(arguments)
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002


def useless_features(examples, seed):
    """Regression in which most inputs, 45 of 50, have nothing to do with the answer.

    y is a sum over the useful inputs, each with a weight of its own between 0.5 and 1.5 in magnitude, plus noise with a
    standard deviation of 0.5. The useful inputs come first.

    Args:
        examples: size of the training part. Validation and test parts have 500 each.
        seed: seed of weights, inputs and noise.
    """
    if examples < 1:
        raise ValueError(f"there must be at least one example, got {examples}")
    useful, useless, noise = 5, 45, 0.5
    rng = np.random.default_rng(seed)
    w = np.zeros(useful + useless)
    w[:useful] = rng.uniform(0.5, 1.5, useful) * rng.choice([-1, 1], useful)

    def part(n):
        X = rng.normal(size=(n, w.size))
        y = X @ w + noise * rng.normal(size=n)
        return torch.tensor(X, dtype=torch.float32), torch.tensor(y[:, None], dtype=torch.float32)

    validation, test = part(500), part(500)  # first, so that they are the same for every size of the training part
    name = f"{useful} useful and {useless} useless inputs"
    return Task(name, part(examples), validation, test, nn.functional.mse_loss, "error", _squared_error)

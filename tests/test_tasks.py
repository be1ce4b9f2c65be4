"""The tasks: the same data everywhere, in three parts that stay apart."""

import random

import numpy as np
import pytest
import torch

from sparsecourse import tasks

FIRST_LABELS = [2, 6, 4, 5, 6, 6, 6, 0, 3, 1]
FIRST_POINTS = [-0.3320, -0.4719, -0.7787, -1.0097]


def test_mnist1d_has_the_published_form():
    task = tasks.mnist1d()
    assert [tuple(getattr(task, part)[0].shape) for part in tasks.PARTS] == [(4000, 40), (1000, 40), (1000, 40)]
    for part in tasks.PARTS:
        X, y = getattr(task, part)
        assert X.dtype == torch.float32
        assert sorted(set(y.tolist())) == list(range(10))
        assert X.std().item() == pytest.approx(1, abs=0.02)


def test_mnist1d_is_the_same_on_every_machine():
    """Labels and the first points of the published set, to four decimals."""
    task = tasks.mnist1d()
    assert task.train[1][:10].tolist() == FIRST_LABELS
    assert task.train[0][0, :4].tolist() == pytest.approx(FIRST_POINTS, abs=1e-4)
    assert task.validation[1][:10].tolist() != FIRST_LABELS


def test_the_parts_share_no_example():
    task = tasks.mnist1d()
    rows = torch.cat([getattr(task, part)[0] for part in tasks.PARTS])
    assert len(torch.unique(rows, dim=0)) == 6000


def test_the_shuffled_twin_holds_the_same_numbers_in_one_other_order():
    task, twin = tasks.mnist1d(), tasks.mnist1d(shuffled=True)
    for part in tasks.PARTS:
        X, scrambled = getattr(task, part)[0], getattr(twin, part)[0]
        assert torch.equal(X.sort(dim=1).values, scrambled.sort(dim=1).values)
        assert not torch.equal(X, scrambled)
        assert torch.equal(getattr(task, part)[1], getattr(twin, part)[1])
    column = scrambled[:, 0]
    assert sum(torch.equal(column, X[:, j]) for j in range(40)) == 1


def test_no_global_generator_is_touched():
    tasks._mnist1d.cache_clear()
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()  # noqa: NPY002
    tasks.mnist1d()
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), states[2])


def test_useless_features_are_useless():
    task = tasks.useless_features(2000, seed=1)
    X, y = task.train
    weights = torch.linalg.lstsq(X, y).solution[:, 0]
    assert (weights[:5].abs() > 0.4).all()
    assert (weights[5:].abs() < 0.06).all()
    assert (y - X @ weights[:, None]).std().item() == pytest.approx(0.5, abs=0.03)


def test_useless_features_keep_their_test_part_when_the_training_part_grows():
    small, large = tasks.useless_features(20, seed=3), tasks.useless_features(200, seed=3)
    assert torch.equal(small.test[0], large.test[0])
    assert torch.equal(small.test[1], large.test[1])


def test_bad_data():
    good = tasks.useless_features(20, seed=0)
    X, y = good.train
    broken = X.clone()
    broken[3, 4] = float("nan")

    def build(train):
        return tasks.Task("toy", train, good.validation, good.test, good.loss, good.metric, good.evaluate)

    with pytest.raises(ValueError, match="the train part of toy holds NaN"):
        build((broken, y))
    with pytest.raises(ValueError, match="20 inputs and 19 answers"):
        build((X, y[:-1]))
    with pytest.raises(ValueError, match="validation part of toy has another shape"):
        build((X[:, :-1], y))
    with pytest.raises(ValueError, match="at least one example"):
        tasks.useless_features(0, seed=0)


def test_fresh_examples_are_new_and_nobody_elses():
    task, fresh = tasks.mnist1d(), tasks.fresh_mnist1d(50, seed=7)
    assert fresh.train is task.train
    assert fresh.validation is task.validation
    X, y = fresh.test
    assert X.shape == (50, 40)
    assert set(y.tolist()) <= set(range(10))
    known = torch.cat([task.train[0], task.validation[0], task.test[0]])
    assert torch.cdist(X, known).min() > 0.01
    assert torch.equal(X, tasks.fresh_mnist1d(50, seed=7).test[0])
    assert not torch.equal(X, tasks.fresh_mnist1d(50, seed=8).test[0])
    with pytest.raises(ValueError, match="seed 42 gives examples that were there before"):
        tasks.fresh_mnist1d(50, seed=42)

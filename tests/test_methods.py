"""Methods by themselves: made by name, kept whole by pickle, put together of a schedule, a score and a scope."""

import inspect
import pickle

import pytest
import torch

from sparsecourse import layers, masks, methods, tasks

SIZES = (40, 20, 20, 10)
SHAPES = masks.layer_shapes(SIZES)
NEEDED = {"lottery": {"rounds": 3}, "small world": {"rewiring_probability": 0.5}}


def named(name, **settings):
    """A method of the registry, for a small network."""
    level = 0.05 if name == "L1" else 0.8
    return methods.named(name, level, sizes=SIZES, seed=1, task=tasks.mnist1d(), **NEEDED.get(name, {}) | settings)


def begun(method, seed=0):
    """A network whose training has just begun with a method, and then reached the end of its first round."""
    network = layers.mlp(SIZES, seed)
    state = method.before(network)
    method.after_step(network, methods.Clock(0, 1, 1, 0.01), state)
    return torch.cat([tensor.flatten() for tensor in network.state_dict().values()])


@pytest.mark.parametrize("name", methods.METHODS)
def test_a_pickled_method_does_the_same(name):
    """Sweeps with workers of their own send methods from process to process."""
    method = named(name)
    twin = pickle.loads(pickle.dumps(method))
    assert torch.equal(begun(twin), begun(method))


@pytest.mark.parametrize("name", methods.METHODS)
def test_a_training_leaves_nothing_behind_in_its_method(name):
    """To the last bit: one object serves many networks, and what it remembers of one is that training's state."""
    method = named(name)
    fresh = pickle.dumps(method)
    first = begun(method)
    assert pickle.dumps(method) == fresh
    begun(method, seed=1)
    assert torch.equal(begun(method), first)


# --------------------------------------------------------------------------------------------------------- by name


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("SNIP", {"start": "random"}, "method 'SNIP' takes no setting 'start'; it takes batch, scope"),
        ("local", {"start": "random"}, "method 'local' takes no setting 'start'; it takes rescale"),
        (
            "gradual",
            {"rescale": False},
            "method 'gradual' takes no setting 'rescale'; it takes begin, end, num_updates",
        ),
        ("dense", {"rounds": 2}, "method 'dense' takes no setting 'rounds'; it takes none"),
        (
            "RigL",
            {"rounds": 2},
            "'RigL' takes no setting 'rounds'; it takes batch, drop_fraction, num_updates, end, start",
        ),
        ("SET", {"masks": []}, "'SET' takes no setting 'masks'"),
        ("one-shot", {"sparsity": 0.5}, "'one-shot' takes no setting 'sparsity'"),
        ("SET", {"start": "lokal"}, "wiring must be one of random; local; .* got 'lokal'"),
        ("SET", {"start": "small world"}, "method 'SET' needs the setting 'rewiring_probability'"),
        ("SET", {"rewiring_probability": 0.5}, "'SET' takes no setting 'rewiring_probability'"),
    ],
)
def test_a_setting_that_means_nothing_or_is_missing_is_refused_in_words(name, settings, words):
    with pytest.raises(ValueError, match=words):
        named(name, **settings)


@pytest.mark.parametrize("name", NEEDED)
def test_what_a_method_needs_is_asked_for(name):
    (needed,) = NEEDED[name]
    with pytest.raises(ValueError, match=f"method '{name}' needs the setting '{needed}'"):
        methods.named(name, 0.8, sizes=SIZES, seed=1, task=tasks.mnist1d())


def test_settings_reach_the_method_and_its_wiring():
    method = named("RigL", num_updates=4, batch=7, start="small world", rewiring_probability=0.3)
    assert (method.schedule.num_updates, method.batch, method.seed) == (4, 7, 1)
    drawn = masks.wiring("small world", SIZES, 0.8, seed=1, rewiring_probability=0.3)
    assert all((S == other).all() for S, other in zip(method.masks, drawn, strict=True))
    assert named("local", rescale=False).rescale is False
    assert named("random, ERK").label == "random, ERK"


def test_a_class_of_ones_own_needs_one_line(monkeypatch):
    """As CONTRIBUTING.md says: the registry reads from its signature what it needs."""

    class Wired(methods.Fixed):
        def __init__(self, masks, task, patience=3, **settings):
            super().__init__(masks, **settings)
            self.task, self.patience = task, patience

    monkeypatch.setitem(methods.METHODS, "wired", Wired)
    method = named("wired", start="local", patience=5, rescale=False)
    assert (method.task, method.patience, method.rescale, method.label) == (tasks.mnist1d(), 5, False, "wired")
    with pytest.raises(ValueError, match="'wired' takes no setting 'patients'; it takes patience, rescale, start"):
        named("wired", patients=5)


# -------------------------------------------------------------------------------------------------------- put together


def end_of_round(method, network, number, state=None):
    method.after_step(network, methods.Clock(number, 5, 10, 0.01), state)
    method.after_step(network, methods.Clock(number, 10, 10, 0.01), state)


@pytest.mark.parametrize(
    ("schedule", "reached"),
    [
        (methods.before_training, [0.75]),
        (methods.after_first_round, [0.75]),
        (methods.Cubic(4, begin=0.1, end=0.9), [0.75]),
        (methods.Geometric(2), [0.75, 0.75]),
        (methods.Geometric(3), [0.5, 0.75, 0.75]),
    ],
    ids=["before training", "after the first round", "cubic", "geometric, 2", "geometric, 3"],
)
def test_pruning_takes_as_many_rounds_as_its_schedule(schedule, reached):
    network, method = layers.mlp(SIZES, 0), methods.Pruning(0.75, schedule)
    state = method.before(network)
    found = []
    for number in range(method.rounds):
        for step in range(1, 11):
            method.after_step(network, methods.Clock(number, step, 10, 0.01), state)
        found.append(methods.realised_sparsity(network))
    method.at_end(network, state)
    assert found == pytest.approx(reached, abs=1e-3)


@pytest.mark.parametrize("distribution", [masks.erk, masks.uniform, masks.alike])
def test_a_scope_may_be_a_distribution_over_the_layers(distribution):
    network, method = layers.mlp(SIZES, 0), methods.Pruning(0.8, methods.before_training, scope=distribution)
    method.at_end(network, method.before(network))
    for layer, share in zip(layers.sparse_layers(network), distribution(SHAPES, 0.8), strict=True):
        assert (layer.mask == 0).sum() == round(share * layer.mask.numel())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: methods.Periodic(30.0, 0, 1), "num_updates must be a whole number from 1 up, got 30.0"),
        (lambda: methods.SET([[[1, 0]]], num_updates=2.5), "num_updates must be a whole number from 1 up, got 2.5"),
        (lambda: methods.Geometric(3.0), "rounds must be a whole number from 2 up, got 3.0"),
        (
            lambda: methods.Iterative(0.5, rounds=2, rewind_to=1.5),
            "rewind_to must be a whole number from 0 up, got 1.5",
        ),
        (lambda: methods.SNIP(0.5, None, batch=10.0), "batch must be a whole number from 1 up, got 10.0"),
        (lambda: methods.RigL([[[1, 0]]], None, batch=10.0), "batch must be a whole number from 1 up, got 10.0"),
        (
            lambda: methods.Pruning(0.5, methods.before_training, scope="rows"),
            "one of global, layer, or a distribution",
        ),
        (lambda: methods.cut(layers.mlp((4, 3, 2), 0), 0.2, masks.windows), "a distribution gives each of 2"),
    ],
)
def test_bad_settings_are_refused_in_words(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_moments_have_the_same_names_in_every_method():
    """So that they can be called by name."""
    for kind in {*methods.METHODS.values(), methods.L1Subgradient, methods.Pruning}:
        for moment in ("before", "after_step", "at_end"):
            names = list(inspect.signature(getattr(kind, moment)).parameters)
            assert names == list(inspect.signature(getattr(methods.Method, moment)).parameters)

"""The engine: a population is what a plain loop is, each network for itself, and nothing goes wrong in silence."""

import contextlib
import dataclasses
import functools
import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sparsecourse import layers, masks, measure, methods, palette, population, tasks, training

SIZES = (40, 20, 20, 10)
SHAPES = [(20, 40), (20, 20), (10, 20)]
QUICK = {"steps": 30, "batch": 50}


@pytest.fixture(scope="module")
def task():
    return tasks.mnist1d()


def networks(n, sizes=SIZES):
    return [layers.mlp(sizes, seed) for seed in range(n)]


def flat(network):
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


ADAM, SGD = torch.optim.Adam, torch.optim.SGD
COSINE = torch.optim.lr_scheduler.CosineAnnealingLR


def plain_loop(network, task, method, seed, steps, batch, learning_rate=5e-3, optimizer=ADAM, scheduler=COSINE):
    """What training.train does to one network, as every tutorial writes it."""
    X, y = task.train
    order = training.batches(len(X), batch, seed)
    state = method.before(network)
    for number in range(method.rounds):
        optimiser = optimizer([p for p in network.parameters() if p.requires_grad], lr=learning_rate)
        schedule = scheduler(optimiser, steps)
        for step in range(1, steps + 1):
            rows = next(order)
            loss = task.loss(network(X[rows]), y[rows])
            optimiser.zero_grad()
            loss.backward()
            rate = optimiser.param_groups[0]["lr"]
            optimiser.step()
            schedule.step()
            method.after_step(network, methods.Clock(number, step, steps, rate), state)
    method.at_end(network, state)
    return network


SETTINGS = {
    "gradual": {"num_updates": 5},
    "lottery": {"rounds": 3, "rewind_to": 4},
    "small world": {"rewiring_probability": 0.5},
    "SET": {"num_updates": 3},
    "RigL": {"num_updates": 3},
}


def named(name):
    """A method of the registry, for a small network."""
    level = 0.05 if name == "L1" else 0.8
    return methods.named(name, level, sizes=SIZES, seed=1, task=tasks.mnist1d(), **SETTINGS.get(name, {}))


@pytest.mark.parametrize("name", [*methods.METHODS, "L1, subgradient"])
def test_a_population_of_one_is_a_plain_loop(task, name):
    method = named(name) if name in methods.METHODS else methods.L1Subgradient(0.05)
    together = training.train(networks(1), task, method, seeds=[5], **QUICK).networks[0]
    alone = plain_loop(layers.mlp(SIZES, 0), task, method, seed=5, **QUICK)
    assert torch.allclose(flat(together), flat(alone), atol=2e-5)
    for one, other in zip(layers.sparse_layers(together), layers.sparse_layers(alone), strict=True):
        assert torch.equal(one.mask, other.mask)


OPTIMIZERS = {
    "Adam": training.ADAM,
    "AdamW": functools.partial(torch.optim.AdamW, weight_decay=0.1),
    "SGD": SGD,
    "SGD, momentum": functools.partial(SGD, momentum=0.9, weight_decay=0.01),
    "SGD, Nesterov": functools.partial(SGD, momentum=0.8, nesterov=True),
    # with a smaller eps a gradient that is rounding alone makes a full step, in either direction
    "RMSprop": functools.partial(torch.optim.RMSprop, eps=1e-3),
}
SCHEDULES = {
    "cosine": (methods.cosine, COSINE),
    "steps": (
        methods.MultiStep((0.3, 0.6), 0.2),
        lambda optimiser, n: torch.optim.lr_scheduler.MultiStepLR(optimiser, [round(0.3 * n), round(0.6 * n)], 0.2),
    ),
    "constant": (lambda k, n: 1, lambda optimiser, n: torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1)),
}
SEVERAL = population.FEW + 1


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(sorted(OPTIMIZERS)),
    st.sampled_from(sorted(SCHEDULES)),
    st.sampled_from([1, 2, SEVERAL]),
    st.sampled_from([methods.OneShot(0.7), methods.Gradual(0.9, num_updates=3)]),
    st.integers(0, 99),
)
def test_each_optimizer_does_to_each_network_what_it_does_in_a_plain_loop(optimizer, schedule, n, method, seed):
    """In turn and at once, over rounds, and behind the masks: what is cut has no gradient, but decays and drifts."""
    optimizer, (schedule, scheduler) = OPTIMIZERS[optimizer], SCHEDULES[schedule]
    seeds, options = list(range(seed, seed + n)), {"steps": 10, "batch": 40, "learning_rate": 2e-3}
    result = training.train(
        networks(n), tasks.mnist1d(), method, seeds=seeds, optimizer=optimizer, schedule=schedule, **options
    )
    for k, network in enumerate(result.networks):
        alone = plain_loop(
            layers.mlp(SIZES, k), tasks.mnist1d(), method, seeds[k], optimizer=optimizer, scheduler=scheduler, **options
        )
        assert torch.allclose(flat(network), flat(alone), atol=2e-5)
        assert methods.realised_sparsity(network) == pytest.approx(method.sparsity, abs=1e-3)


@pytest.mark.parametrize(
    ("optimizer", "words"),
    [
        (torch.optim.LBFGS, "a population can't be trained by this optimizer: .*closure"),
        (torch.optim.Adafactor, "does not work element by element"),
        (torch.optim.Muon, "a population can't be trained by this optimizer: .*2D"),
        (functools.partial(SGD, momentum=-1), "Invalid momentum"),
        (functools.partial(SGD, lr=0.1), "the learning rate goes into learning_rate"),
    ],
)
def test_an_optimizer_that_would_let_networks_disturb_each_other_is_refused(task, optimizer, words):
    with pytest.raises(ValueError, match=words):
        training.train(networks(1), task, optimizer=optimizer, **QUICK)


def test_a_clipped_norm_is_one_of_all_networks_and_refused(task):
    def clipped(parameters, lr):
        optimiser = SGD(parameters, lr=lr)
        optimiser.register_step_pre_hook(lambda *_: torch.nn.utils.clip_grad_norm_(parameters, 1.0) and None)
        return optimiser

    with pytest.raises(ValueError, match="does not work element by element"):
        training.train(networks(2), task, optimizer=clipped, **QUICK)


@pytest.mark.parametrize("n", [2, SEVERAL])
@pytest.mark.parametrize("optimizer", ["Adam", "AdamW", "SGD, momentum"])
def test_what_is_frozen_stays_as_it_is(task, n, optimizer):
    frozen = networks(n)
    for network in frozen:
        network[2].requires_grad_(False)
    result = training.train(frozen, task, methods.L1(0.1), optimizer=OPTIMIZERS[optimizer], **QUICK)
    for given_network, network in zip(frozen, result.networks, strict=True):
        assert torch.equal(network[2].weight, given_network[2].weight)
        assert torch.equal(network[2].bias, given_network[2].bias)
        assert [p.requires_grad for p in network.parameters()] == [True, True, False, False, True, True]
        assert not torch.equal(network[0].weight, given_network[0].weight)
    alone = plain_loop(frozen[0], task, methods.L1(0.1), 0, optimizer=OPTIMIZERS[optimizer], **QUICK)
    assert torch.allclose(flat(result.networks[0]), flat(alone), atol=2e-5)


def test_networks_must_freeze_the_same_and_not_all(task):
    some, every = networks(2), networks(2)
    some[1][0].bias.requires_grad_(False)
    with pytest.raises(ValueError, match=r"network 1 freezes 0\.bias, network 0 nothing: all must freeze the same"):
        training.train(some, task, **QUICK)
    for network in every:
        network.requires_grad_(False)
    with pytest.raises(ValueError, match="every parameter of the networks is frozen: there is nothing to train"):
        training.train(every, task, **QUICK)
    assert len(training.evaluate(every, task)) == 2  # to look at it nothing need move


class Watching(methods.Dense):
    """It notes how many threads there are, and may end a training."""

    def __init__(self, error=None):
        self.error, self.threads = error, set()

    def after_step(self, network, clock, state):
        self.threads.add(torch.get_num_threads())
        if self.error:
            raise self.error


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize(("n", "units", "threads"), [(1, 100, 1), (2, 256, 1), (8, 256, 3)])
def test_threads_are_as_many_as_the_work_is_worth_and_then_as_before(task, n, units, threads, error):
    method, before = Watching(error), torch.get_num_threads()
    torch.set_num_threads(5)
    try:
        with pytest.raises(error) if error else contextlib.nullcontext():
            training.train(networks(n, (40, units, units, 10)), task, method, steps=1, strict=True)
        assert torch.get_num_threads() == 5
    finally:
        torch.set_num_threads(before)
    assert method.threads == {threads}


def test_every_method_has_a_look_and_an_unknown_one_is_refused():
    ways = {name for name in methods.METHODS if name not in masks.WIRINGS} | {"random", "local"}
    assert {named(name).label for name in ways} == set(palette.METHOD_STYLES)
    with pytest.raises(ValueError, match=r"method must be one of dense; L1; .* got 'prune'"):
        methods.named("prune", 0.5, sizes=SIZES, seed=0, task=None)


def test_a_method_holds_no_state_of_a_training(task):
    """One object may serve many networks, also one after the other."""
    for name in ("lottery", "RigL", "gradual"):
        shared = named(name)
        before = vars(shared).copy()
        first = training.train(networks(1), task, shared, seeds=[3], **QUICK).networks[0]
        assert vars(shared) == before
        second = training.train(networks(2), task, shared, seeds=[3, 4], **QUICK).networks[0]
        assert torch.allclose(flat(first), flat(second), atol=2e-5)


def test_a_member_does_not_depend_on_its_neighbours(task):
    """The same network, method and seed: alone, and in the midst of others that need more rounds or diverge."""
    alone = training.train(networks(1), task, methods.Gradual(0.9, num_updates=5), seeds=[3], **QUICK)
    crowd = [
        methods.L1(0.1),
        methods.OneShot(0.5),
        methods.Gradual(0.9, num_updates=5),
        methods.Iterative(0.5, rounds=3),
    ]
    several = [*networks(3)[1:], *networks(2)]
    for parameter in several[0].parameters():
        parameter.data *= 1e30  # will diverge
    with pytest.warns(UserWarning, match="1 of 4 networks diverged"):
        together = training.train(several, task, crowd, seeds=[0, 1, 3, 2], **QUICK)
    assert torch.allclose(flat(alone.networks[0]), flat(together.networks[2]), atol=2e-5)
    assert together.table["diverged"].tolist() == [True, False, False, False]
    assert together.table["steps"].tolist() == [30, 60, 30, 90]
    assert together.table["method"].tolist() == ["L1", "one-shot", "gradual", "iterative"]


def test_plain_linear_layers_serve_where_no_mask_is_needed(task):
    def network(seed):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(40, 20), nn.ReLU(), nn.Linear(20, 10))

    result = training.train([network(0), network(1)], task, methods.L1(1.0), steps=200, batch=50)
    assert (result.table["sparsity"] > 0.1).all()
    with pytest.raises(ValueError, match="layers with a mask"):
        training.train([network(0)], task, methods.OneShot(0.5), **QUICK)


def test_the_networks_given_are_left_alone(task):
    given_networks = networks(2)
    before = [flat(network) for network in given_networks]
    training.train(given_networks, task, methods.OneShot(0.5), **QUICK)
    for network, values in zip(given_networks, before, strict=True):
        assert torch.equal(flat(network), values)
        assert measure.sparsity(network[0].mask) == 0


def test_the_networks_that_come_back_are_ordinary(task, tmp_path):
    result = training.train(networks(2), task, methods.OneShot(0.9), **QUICK)
    torch.save(result.networks[1].state_dict(), tmp_path / "network.pt")
    twin = layers.mlp(SIZES, seed=9)
    twin.load_state_dict(torch.load(tmp_path / "network.pt"))
    X, y = task.validation
    accuracy = (twin(X).argmax(dim=1) == y).float().mean().item()
    assert accuracy == pytest.approx(result.table["validation_accuracy"][1], abs=1e-6)
    assert measure.layers(twin).loc["all", "sparsity"] == pytest.approx(0.9, abs=1e-3)
    for tensor in result.networks[1].state_dict().values():  # not a window into the tensors of all
        assert tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()


def test_the_table_and_the_history(task):
    plan = [methods.Dense(), methods.Gradual(0.8), methods.Iterative(0.75, rounds=3), methods.L1(0.3)]
    result = training.train(networks(4), task, plan, seeds=[7, 7, 7, 7], steps=40, batch=50, records=2)
    table = result.table
    assert table["requested_sparsity"].fillna(-1).tolist() == [-1, 0.8, 0.75, -1]
    assert table["strength"].fillna(-1).tolist() == [-1, -1, -1, 0.3]
    assert table["sparsity"][:3].tolist() == pytest.approx([0, 0.8, 0.75], abs=1e-3)
    assert table["macs"].tolist() == [round((1 - s) * 1400) for s in table["sparsity"]]
    assert (table["seconds"] > 0).all()
    assert (table["train_accuracy"] > 0.1).all()
    history = result.history
    assert history.groupby("network").size().tolist() == [2, 2, 6, 2]
    iterative = history[history["network"] == 2]
    assert iterative["round"].tolist() == [0, 0, 1, 1, 2, 2]
    assert iterative["sparsity"].tolist() == pytest.approx([0, 0.5, 0.5, 0.75, 0.75, 0.75], abs=1e-3)
    assert history["validation_accuracy"].iloc[-1] == pytest.approx(table["validation_accuracy"].iloc[-1])


def test_metrics_agree_with_one_network_at_a_time(task):
    trained = training.train(networks(3), task, **QUICK).networks
    X, y = task.test
    by_hand = [(network(X).argmax(dim=1) == y).float().mean().item() for network in trained]
    assert training.evaluate(trained, task) == pytest.approx(by_hand)


def test_a_network_that_diverged_has_no_metric(task):
    broken = networks(2)
    for parameter in broken[1].parameters():
        parameter.data *= 1e30
    with pytest.warns(UserWarning, match="1 of 2 networks diverged"):
        result = training.train(broken, task, methods.Gradual(0.5), **QUICK)
    assert result.table["diverged"].tolist() == [False, True]
    assert math.isnan(result.table["validation_accuracy"][1])
    assert not math.isnan(result.table["validation_accuracy"][0])
    assert math.isnan(training.evaluate(result.networks, task)[1])
    with pytest.raises(ValueError, match="1 of 2 runs have no validation_accuracy"):
        measure.intervals(result.table, "method", "validation_accuracy")


def test_interrupting_keeps_what_is_trained(task, capsys):
    class Impatient(methods.Dense):
        def after_step(self, network, clock, state):
            if clock.step == 12:
                raise KeyboardInterrupt

    plan = [methods.OneShot(0.5), Impatient()]
    result = training.train(networks(2), task, plan, **QUICK)
    told = "Stopped by you after 12 of 60 steps. What was trained until then comes back.\n"
    assert capsys.readouterr().out == told
    assert result.table["steps"].tolist() == [12, 12]
    assert result.table["sparsity"].tolist() == [0, 0]
    assert not torch.equal(flat(result.networks[0]), flat(layers.mlp(SIZES, 0)))


def test_a_task_for_each_network():
    several = [tasks.useless_features(60, seed) for seed in range(3)]
    models = [nn.Linear(50, 1) for _ in several]
    result = training.train(models, several, steps=400, batch=60, learning_rate=0.05)
    assert (result.table["train_error"] < 0.05).all()
    other = training.evaluate(result.networks, several[::-1])
    assert other[0] > 3 * result.table["validation_error"][0]  # trained on another task


class Forgetful(methods.Dense):
    """It promises more than it does."""

    label, sparsity = "forgetful", 0.8

    def before(self, network):
        methods.cut(network, self.sparsity / 2)


class Terse(methods.Dense):
    """Its promise is a bare assertion."""

    def at_end(self, network, state):
        raise AssertionError  # as a bare assert does; to one in a test pytest adds words


class Meddling(methods.Fixed):
    """It does not leave its masks alone."""

    def after_step(self, network, clock, state):
        network[0].set_mask(np.roll(self.masks[0], 1, axis=1))


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (Forgetful(), r"0\.8000 was asked for, 0\.4\d+ was realised"),
        (Meddling([masks.random(shape, 0.5, 0) for shape in SHAPES]), "a fixed mask has changed"),
        (Terse(), "AssertionError"),
    ],
    ids=["forgetful", "meddling", "terse"],
)
def test_a_network_that_is_not_as_was_asked_costs_no_other_its_result(task, method, words):
    with pytest.raises(AssertionError):
        plain_loop(layers.mlp(SIZES, 0), task, method, seed=0, **QUICK)
    with pytest.raises(AssertionError, match=f"1 of 1 networks are not as was asked: .*{words}"):
        training.train(networks(1), task, method, strict=True, **QUICK)
    with pytest.warns(UserWarning, match=f"2 networks are not as was asked; their metrics are missing: .*{words}"):
        result = training.train(networks(2), task, [method, methods.OneShot(0.5)], seeds=[0, 1], **QUICK)
    table = result.table
    assert re.search(words, table["failure"][0])
    assert table["failure"][1] == ""
    assert table["validation_accuracy"].isna().tolist() == [True, False]
    alone = training.train(networks(2)[1:], task, methods.OneShot(0.5), seeds=[1], **QUICK)
    assert torch.allclose(flat(result.networks[1]), flat(alone.networks[0]), atol=2e-5)


# ------------------------------------------------------------------------------------------------ before any training


@pytest.mark.parametrize("role", ["loss", "evaluate"])
def test_a_task_with_another_loss_than_the_first_is_refused(task, role):
    """All networks of a population learn by one function: that of the first task would have served for both."""

    def own(outputs, y):
        return getattr(task, role)(outputs, y)

    with pytest.raises(ValueError, match=f"the tasks have each a {role} of their own"):
        training.train(networks(2), [task, dataclasses.replace(task, **{role: own})], **QUICK)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": 0}, "steps must be a whole number from 1 up, got 0"),
        ({"steps": 3.0}, r"steps must be a whole number from 1 up, got 3\.0"),
        ({"batch": 2.5}, "batch must be a whole number from 1 up, got 2.5"),
        ({"records": 0}, "records must be"),
        ({"learning_rate": float("nan")}, "learning rate must be a positive number"),
        ({"method": [methods.Dense()]}, "2 networks and 1 methods"),
        ({"seeds": [1, 2, 3]}, "2 networks and 3 seeds"),
        ({"networks": []}, "there is no network"),
        ({"networks": [layers.mlp((40, 20, 10), 0), layers.mlp((40, 21, 10), 0)]}, r"0\.W has shape \(21, 40\)"),
        ({"networks": [layers.mlp((40, 20, 10), 0), layers.mlp((40, 20, 20, 10), 0)]}, "network 1 is built diff"),
        (
            {"networks": [nn.Sequential(nn.Linear(40, 10), f) for f in (nn.ReLU(), nn.Tanh())]},
            "network 1 is built differently",
        ),
        ({"networks": [nn.Sequential(nn.Linear(40, 10), nn.Dropout())] * 2}, "can't hold Dropout"),
        ({"networks": [layers.mlp((30, 10), 0)] * 2}, "can't learn MNIST-1D"),
        ({"networks": [layers.mlp((40, 9), 0)] * 2}, "can't learn MNIST-1D"),
        ({"method": methods.Fixed([np.ones((20, 40))])}, "3 layers with a mask, got 1 masks"),
        ({"method": methods.Fixed([np.ones((40, 20)), np.ones((20, 20)), np.ones((10, 20))])}, "the mask has shape"),
    ],
)
def test_bad_input_is_found_before_training(task, change, words, monkeypatch):
    monkeypatch.setattr(population.InTurn, "backward", lambda *_: pytest.fail("training has begun"))
    call = {"networks": networks(2), "task": task, **QUICK} | change
    with pytest.raises(ValueError, match=words):
        training.train(call.pop("networks"), call.pop("task"), call.pop("method", None), **call)


def test_networks_that_are_not_finite_are_found_before_training(task):
    broken = networks(2)
    broken[1][0].W.data[0, 0] = math.nan
    with pytest.raises(ValueError, match="network 1 holds NaN"):
        training.train(broken, task, **QUICK)


@pytest.mark.parametrize("level", [1, 1.2, -0.1, math.nan])
@pytest.mark.parametrize("kind", [methods.OneShot, methods.Gradual, lambda level: methods.Iterative(level, rounds=2)])
def test_levels_lie_between_0_and_1(kind, level):
    with pytest.raises(ValueError, match=r"sparsity must lie in \[0, 1\)"):
        kind(level)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: methods.L1(-1), "strength of L1"),
        (lambda: methods.L1(math.nan), "strength of L1"),
        (lambda: methods.OneShot(0.5, scope="rows"), "scope must be one of global, layer"),
        (lambda: methods.Gradual(0.5, begin=0.8, end=0.2), "begin before it ends, .* got 0.8 and 0.2"),
        (lambda: methods.Gradual(0.5, num_updates=0), "num_updates must be a whole number from 1 up, got 0"),
        (lambda: methods.Iterative(0.5, rounds=1), "rounds must be a whole number from 2 up, got 1"),
        (lambda: methods.Iterative(0.5, rounds=2, rewind_to=-1), "rewind_to"),
        (lambda: methods.Fixed([np.full((2, 2), 0.5)]), "a mask holds only 0 and 1"),
        (lambda: methods.SET([np.eye(2)], drop_fraction=0), "drop_fraction must lie between 0 and 1, got 0"),
        (lambda: methods.SET([np.eye(2)], end=1.5), "begin before it ends, both between 0 and 1, got 0 and 1.5"),
        (lambda: methods.SET([np.eye(2)], num_updates=0), "num_updates must be a whole number from 1 up, got 0"),
        (lambda: training.evaluate([], None, part="exam"), "part must be one of"),
    ],
)
def test_bad_settings(make, words):
    with pytest.raises(ValueError, match=words):
        make()


# ---------------------------------------------------------------------------------------------------------- methods


def test_the_proximal_step_gives_zeros_and_the_subgradient_does_not(task):
    plan = [methods.L1(1.0), methods.L1Subgradient(1.0)]
    proximal, subgradient = training.train(networks(2), task, plan, seeds=[0, 0], steps=200).networks
    assert methods.realised_sparsity(proximal) > 0.3
    assert methods.realised_sparsity(subgradient) == 0


def test_the_gradual_schedule():
    method = methods.Gradual(0.9, begin=0.25, end=0.75, num_updates=4)
    network = layers.mlp(SIZES, 0)
    seen = []
    for step in range(1, 101):
        method.after_step(network, methods.Clock(0, step, 100, 0.01), None)
        seen.append(methods.realised_sparsity(network))
    assert seen[36] == 0
    expected = [0.9 * (1 - (1 - t) ** 3) for t in (0.25, 0.5, 0.75, 1)]
    assert sorted(set(seen))[1:] == pytest.approx(expected, abs=1e-3)
    assert seen[74] == pytest.approx(0.9, abs=1e-3)
    assert seen == sorted(seen)


def test_iterative_rewinds_to_where_it_started(task):
    start = layers.mlp(SIZES, 0)
    method = methods.Iterative(0.8, rounds=3)
    network = layers.mlp(SIZES, 0)
    state = method.before(network)
    for parameter in network.parameters():
        parameter.data += torch.randn(parameter.shape)
    method.after_step(network, methods.Clock(0, 10, 10, 0.01), state)
    assert torch.equal(flat(network), flat(start))
    assert methods.realised_sparsity(network) == pytest.approx(1 - 0.2**0.5, abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 0.97), st.sampled_from(sorted(methods.SCOPES)), st.integers(0, 5))
def test_cut_keeps_the_largest(sparsity, scope, seed):
    network = layers.mlp((7, 5, 4), seed)
    weights = [layer.weight.detach().abs() for layer in layers.sparse_layers(network)]
    methods.cut(network, sparsity, scope)
    methods.check_realised(network, sparsity)
    kept = [W[layer.mask == 1] for W, layer in zip(weights, layers.sparse_layers(network), strict=True)]
    gone = [W[layer.mask == 0] for W, layer in zip(weights, layers.sparse_layers(network), strict=True)]
    if scope == "global":
        kept, gone = [torch.cat(kept)], [torch.cat(gone)]
    for large, small in zip(kept, gone, strict=True):
        if len(large) and len(small):
            assert large.min() >= small.max()


def test_what_is_cut_stays_cut():
    network = layers.mlp(SIZES, 0)
    methods.cut(network, 0.5)
    before = [layer.mask.clone() for layer in layers.sparse_layers(network)]
    for layer in layers.sparse_layers(network):
        layer.W.data[layer.mask == 0] = 100.0  # a cut weight may drift; it must not come back
    methods.cut(network, 0.7)
    for layer, S in zip(layers.sparse_layers(network), before, strict=True):
        assert (layer.mask <= S).all()


def test_fixed_masks_are_initialised_by_surviving_fan_in():
    S = [masks.random(shape, 0.9, seed=3) for shape in SHAPES]
    network, built = layers.mlp(SIZES, 4), layers.mlp(SIZES, 4, S)
    methods.Fixed(S).before(network)
    for one, other in zip(layers.sparse_layers(network), layers.sparse_layers(built), strict=True):
        assert torch.equal(one.mask, other.mask)
        torch.testing.assert_close(one.weight, other.weight)
        torch.testing.assert_close(one.bias, other.bias)
    kept_as_drawn = layers.mlp(SIZES, 4)
    methods.Fixed(S, rescale=False).before(kept_as_drawn)
    assert torch.equal(flat(kept_as_drawn), flat(layers.mlp(SIZES, 4)))


def test_gradients_are_those_of_every_entry_also_of_the_cut_ones(task):
    """Against differences of the loss: one entry is moved a little, inside the mask and outside of it."""
    network = layers.mlp((40, 12, 10), 0, [masks.random(shape, 0.5, seed=2) for shape in ((12, 40), (10, 12))]).double()
    rows = torch.randperm(len(task.train[0]), generator=torch.Generator().manual_seed(7))[:20]
    small = dataclasses.replace(task, train=(task.train[0][rows].double(), task.train[1][rows]))
    found = methods.gradients(network, small, 20, torch.Generator().manual_seed(0))
    assert [tuple(g.shape) for g in found] == [(12, 40), (10, 12)]

    def loss(change):
        moved = layers.fold(network)
        with torch.no_grad():
            moved[0].weight[i, j] += change
            return small.loss(moved(small.train[0]), small.train[1]).item()

    S = network[0].mask
    for kept in (0, 1):
        i, j = (int(k) for k in (S == kept).nonzero()[3])
        assert found[0][i, j].item() == pytest.approx((loss(1e-5) - loss(-1e-5)) / 2e-5, rel=1e-4)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_snip_cuts_what_the_loss_would_miss_least(task):
    network, untouched = layers.mlp(SIZES, 0), layers.mlp(SIZES, 0)
    method = methods.SNIP(0.9, task, batch=50, seed=4)
    method.before(network)
    found = methods.gradients(untouched, task, 50, torch.Generator().manual_seed(4))
    missed = [(layer.weight * g).abs() for layer, g in zip(layers.sparse_layers(untouched), found, strict=True)]
    kept = torch.cat([m[layer.mask == 1] for m, layer in zip(missed, layers.sparse_layers(network), strict=True)])
    gone = torch.cat([m[layer.mask == 0] for m, layer in zip(missed, layers.sparse_layers(network), strict=True)])
    assert kept.min() >= gone.max()
    assert torch.equal(flat(network), flat(untouched))
    methods.check_realised(network, 0.9)


S_START = [masks.random(shape, 0.8, seed=1) for shape in SHAPES]


@pytest.mark.parametrize(
    "kind", [methods.SET, lambda S, **o: methods.RigL(S, tasks.mnist1d(), **o)], ids=["SET", "RigL"]
)
def test_rewiring_moves_the_weakest_and_keeps_every_density(kind):
    network, method = layers.mlp(SIZES, 0), kind(S_START, drop_fraction=0.4, num_updates=4, end=0.8)
    state = method.before(network)
    for step in range(1, 101):
        before = [(layer.mask.clone(), layer.weight.detach().clone()) for layer in layers.sparse_layers(network)]
        method.after_step(network, methods.Clock(0, step, 100, 0.01), state)
        for layer, (S, W) in zip(layers.sparse_layers(network), before, strict=True):
            gone, grown = (S == 1) & (layer.mask == 0), (S == 0) & (layer.mask == 1)
            part = {20: 0.4, 40: 0.4 * (1 + 0.5**0.5) / 2, 60: 0.2, 80: 0.4 * (1 - 0.5**0.5) / 2}.get(step, 0)
            assert gone.sum() == grown.sum() == round(part * int(S.sum()))
            if gone.any():
                assert W[gone].abs().max() <= W[(S == 1) & (layer.mask == 1)].abs().min()
                assert (layer.W[grown] == 0).all()
    method.at_end(network, state)


def test_a_network_that_is_not_finite_can_not_be_rewired():
    network, method = layers.mlp(SIZES, 0), methods.SET(S_START, num_updates=1)
    state = method.before(network)
    network[0].W.data[0] = math.nan
    with pytest.raises(methods.DivergedError, match="can't be rewired"):
        method.after_step(network, methods.Clock(0, 75, 100, 0.01), state)


def test_rigl_grows_where_the_slope_is_steepest_and_set_does_not(task):
    found = {}
    for method in (methods.SET(S_START, num_updates=1, seed=3), methods.RigL(S_START, task, num_updates=1, seed=3)):
        network = layers.mlp(SIZES, 0)
        state = method.before(network)
        start = [layer.mask.clone() for layer in layers.sparse_layers(network)]
        steepness = [g.abs() for g in methods.gradients(network, task, 100, torch.Generator().manual_seed(3))]
        method.after_step(network, methods.Clock(0, 75, 100, 0.01), state)
        for g, S, layer in zip(steepness, start, layers.sparse_layers(network), strict=True):
            grown, left = g[(S == 0) & (layer.mask == 1)], g[(S == 0) & (layer.mask == 0)]
            found.setdefault(method.label, []).append((grown.min() >= left.max()).item())
    assert found == {"SET": [False] * 3, "RigL": [True] * 3}


def test_a_dense_layer_has_no_gap_to_grow_in():
    network = layers.mlp((6, 5, 4), 0)
    method = methods.SET([np.ones((5, 6)), masks.random((4, 5), 0.1, seed=0)], drop_fraction=1, num_updates=1)
    state = method.before(network)
    method.after_step(network, methods.Clock(0, 75, 100, 0.01), state)
    assert network[0].mask.all()
    assert network[2].mask.sum() == 18  # both gaps were filled, two others opened
    method.at_end(network, state)

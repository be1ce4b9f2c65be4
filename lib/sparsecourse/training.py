"""Train many networks of one shape at once, each with its own seed, mask, data order and method."""

import copy
import functools
import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import torch
from tqdm.auto import tqdm

from sparsecourse import costs, masks, methods
from sparsecourse.population import Population
from sparsecourse.tasks import PARTS

ADAM = functools.partial(torch.optim.Adam, fused=True)


@dataclass(frozen=True)
class Result:
    """What came of training.

    Attributes:
        table: data frame with a row a network, in the order given: method, strength, requested_sparsity, sparsity,
            seed, train and validation metric, macs (multiply-adds of one example), steps, diverged, failure (what it
            was asked to be and is not, or ""), seconds (the time of the whole population, shared out evenly). A network
            that has diverged or failed has no metric.
        networks: the trained networks, ordinary modules.
        history: data frame with a row a network and record: network (its place in the table), round, step, sparsity
            and validation metric.
    """

    table: pd.DataFrame
    networks: list
    history: pd.DataFrame


def train(
    networks,
    task,
    method=None,
    *,
    seeds=None,
    steps=1000,
    batch=100,
    learning_rate=5e-3,
    optimizer=ADAM,
    schedule=methods.cosine,
    records=1,
    strict=False,
):
    """Train networks of one shape together, by default with Adam and a learning rate that falls along a cosine.

    Interrupting the kernel ends the training early, and a line tells of it: what is trained so far comes back, and the
    table says how many steps each network did. Parameters that are frozen, ``requires_grad_(False)``, stay as they
    are. A graphics card is used where there is one.

    Args:
        networks: list of ``nn.Module`` of the same shape. They are left as they are.
        task: a ``tasks.Task``, or a list of one a network, all of the same shapes.
        method: a method from ``methods``, or a list of one a network; None trains and cuts nothing.
        seeds: seed of each network's data order; None counts from 0.
        steps: steps of the optimiser in one round; a method may need several rounds.
        batch: examples a step.
        learning_rate: at the beginning of each round.
        optimizer: called with parameters and ``lr``, gives an optimiser of ``torch.optim`` that works element by
            element, for example ``functools.partial(torch.optim.SGD, momentum=0.9, weight_decay=5e-4)``. Each round
            has a fresh one.
        schedule: called with k and n, gives what the learning rate is multiplied by at step k of a round's n, from 1.
        records: how many times a round, evenly spaced, a line goes into the history.
        strict: whether to raise what otherwise is told of, an interrupt and a network that is not as was asked. For
            sweeps, which store what comes back.

    Returns:
        A :class:`Result`.

    Raises:
        ValueError: something does not fit; found before any training.
        AssertionError: a network is not as was asked, and ``strict`` says that this matters.

    Warns:
        UserWarning: networks diverged, or are not as sparse in the end as was asked; the table says which.
    """
    networks = list(networks)
    n = len(networks)
    tasks = _one_each(task, n, "tasks")
    chosen = _one_each(methods.Dense() if method is None else method, n, "methods")
    seeds = list(range(n)) if seeds is None else _one_each(list(seeds), n, "seeds")
    masks.check_whole(1, steps=steps, batch=batch, records=records)
    if not (learning_rate > 0 and math.isfinite(learning_rate)):
        raise ValueError(f"the learning rate must be a positive number, got {learning_rate}")
    _check_optimizer(optimizer, learning_rate)

    for place, network in enumerate(networks):
        if not _is_finite(network):
            raise ValueError(f"network {place} holds NaN or infinity before any training")
    # Those that need the most rounds come first: the ones still in training are then always the first few.
    order = sorted(range(n), key=lambda place: -chosen[place].rounds)
    population = Population([networks[place] for place in order], [tasks[place] for place in order])
    if not population.trained:
        raise ValueError("every parameter of the networks is frozen: there is nothing to train")
    members = [
        _Member(place, network, chosen[place], seeds[place], batches(len(tasks[place].train[0]), batch, seeds[place]))
        for place, network in zip(order, population.networks, strict=True)
    ]

    history, started, rounds = [], time.perf_counter(), members[0].method.rounds
    with tqdm(total=rounds * steps, desc=f"{n} networks", unit=" steps", leave=False) as bar:
        try:
            for number in range(rounds):
                active = [member for member in members if member.method.rounds > number]
                group = population.first(len(active))
                with population.threads_for(group, batch):
                    for clock in _train_round(group, active, number, steps, learning_rate, optimizer, schedule):
                        if clock.step * records // steps > (clock.step - 1) * records // steps:
                            history += _record(population, active, clock)
                        bar.update()
        except KeyboardInterrupt:
            if strict:
                raise
            done, asked = members[0].steps, rounds * steps
            print(f"Stopped by you after {done:,} of {asked:,} steps. What was trained until then comes back.")
    seconds = (time.perf_counter() - started) / n
    for member in members:
        member.finish(steps)
    _tell_of_losses(members, strict)
    table = _table(population, members).assign(seconds=seconds)
    columns = ["network", "round", "step", "sparsity", f"validation_{population.task.metric}"]
    history = pd.DataFrame(history, columns=columns).sort_values("network", kind="stable", ignore_index=True)
    trained = dict(zip(order, population.networks, strict=True))
    return Result(table, [_like(networks[place], trained[place]) for place in range(n)], history)


def evaluate(networks, task, part="test"):
    """The metric of each of several networks of one shape on one part of a task.

    The test part is for the end: look at it once, after every choice has been made on the validation part.

    Args:
        networks: list of ``nn.Module`` of the same shape.
        task: a ``tasks.Task``, or a list of one a network, all of the same shapes.
        part: "train", "validation" or "test".

    Returns:
        One number a network, as a list; NaN for a network whose weights are not finite.
    """
    if part not in PARTS:
        raise ValueError(f"part must be one of {', '.join(PARTS)}, got {part!r}")
    networks = list(networks)
    numbers = Population(networks, _one_each(task, len(networks), "tasks")).evaluate(part).tolist()
    return [number if _is_finite(network) else math.nan for network, number in zip(networks, numbers, strict=True)]


def batches(examples, batch, seed):
    """Batches without end: each epoch takes the examples in a new random order.

    Args:
        examples: how many there are.
        batch: examples a batch; the last of an epoch may be smaller.
        seed: seed of the orders.

    Yields:
        Tensors of indices.
    """
    generator = torch.Generator().manual_seed(seed)
    while True:
        yield from torch.randperm(examples, generator=generator).split(batch)


@dataclass
class _Member:
    """One network of a population, with what training must know about it."""

    place: int  # in the caller's list
    network: torch.nn.Module
    method: methods.Method
    seed: int
    batches: Iterator
    steps: int = 0
    diverged: bool = False
    failure: str = ""

    def __post_init__(self):
        self.state = self.method.before(self.network)  # what the method remembers of this network's training

    def after_step(self, clock):
        """The method's moment; a network that has diverged is left alone from then on."""
        self.steps += 1
        if not self.diverged:
            try:
                self.method.after_step(self.network, clock, self.state)
            except methods.DivergedError:
                self.diverged = True

    def finish(self, steps):
        """The method's last moment, where the network was trained to its end."""
        self.diverged |= not _is_finite(self.network)
        if not self.diverged and self.steps == self.method.rounds * steps:
            try:
                self.method.at_end(self.network, self.state)
            except AssertionError as error:  # of this network; what the others have learned is kept
                self.failure = str(error) or repr(error)


def _train_round(group, members, number, steps, learning_rate, optimizer, schedule):
    """One round of training for the first few networks of a population, a clock a step."""
    optimiser = optimizer(group.parameters, lr=learning_rate)
    for step in range(1, steps + 1):
        rate = learning_rate * schedule(step, steps)
        for parameters in optimiser.param_groups:
            parameters["lr"] = rate
        optimiser.zero_grad()
        group.backward([next(member.batches) for member in members])
        optimiser.step()
        clock = methods.Clock(number, step, steps, rate)
        for member in members:
            member.after_step(clock)
        yield clock


def _record(population, members, clock):
    """A line of history for each network."""
    for member, number in zip(members, population.evaluate("validation", len(members)).tolist(), strict=True):
        yield member.place, clock.round, clock.step, methods.realised_sparsity(member.network), number


def _table(population, members):
    """A row a network, in the order in which they were given."""
    metric = population.task.metric
    numbers = {f"{part}_{metric}": population.evaluate(part).tolist() for part in ("train", "validation")}
    rows = {
        member.place: {
            "method": member.method.label,
            "strength": member.method.strength,
            "requested_sparsity": member.method.sparsity,
            "sparsity": methods.realised_sparsity(member.network),
            "seed": member.seed,
            **{name: values[k] for name, values in numbers.items()},
            "macs": costs.sparse_macs(member.network),
            "steps": member.steps,
            "diverged": member.diverged,
            "failure": member.failure,
        }
        for k, member in enumerate(members)
    }
    table = pd.DataFrame([rows[place] for place in range(len(rows))])
    table.loc[table["diverged"] | (table["failure"] != ""), list(numbers)] = math.nan
    return table.astype({"strength": float, "requested_sparsity": float})


def _tell_of_losses(members, strict):
    n = len(members)
    if diverged := sum(member.diverged for member in members):
        warnings.warn(f"{diverged} of {n} networks diverged; their metrics are missing", stacklevel=3)
    if broken := [member.failure for member in members if member.failure]:
        words = f"{len(broken)} of {n} networks are not as was asked"
        if strict:
            raise AssertionError(f"{words}: {broken[0]}")
        warnings.warn(f"{words}; their metrics are missing: {broken[0]}", stacklevel=3)


def _like(original, trained):
    """A copy of a module as it was given, with what it has learned."""
    copied = copy.deepcopy(original)
    copied.load_state_dict(trained.state_dict())
    return copied


def _is_finite(network):
    return all(bool(parameter.isfinite().all()) for parameter in network.parameters())


def _one_each(given, n, name):
    """What was given as a list of n; a single one is taken n times."""
    if not isinstance(given, list):
        return [given] * n
    if len(given) != n:
        raise ValueError(f"there are {n} networks and {len(given)} {name}")
    return given


def _check_optimizer(optimizer, learning_rate):
    """Raise ValueError unless an optimiser does to stacked tensors what it does to each of them alone: it is tried."""
    if "lr" in getattr(optimizer, "keywords", {}):  # of a functools.partial; it would go unheard
        raise ValueError("the learning rate goes into learning_rate, not into the optimizer")
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(2, 6, generator=generator)
    slopes = torch.randn(3, 2, 6, generator=generator) * torch.tensor([[1.0], [100.0]])  # one network's are steeper

    def moved(W, slopes):
        W = W.clone().requires_grad_()
        optimiser = optimizer([W], lr=learning_rate)
        for slope in slopes:
            W.grad = slope.clone()
            optimiser.step()
        return W.detach()

    try:
        together, alone = moved(start, slopes), [moved(W, slopes[:, k]) for k, W in enumerate(start)]
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"a population can't be trained by this optimizer: {error}") from error
    if not torch.allclose(together, torch.stack(alone)):
        raise ValueError("this optimizer does not work element by element: the networks would disturb each other")

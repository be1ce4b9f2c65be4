"""Train many networks of one shape at once, each with its own seed, mask, data order and method."""

import copy
import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import torch
from tqdm.auto import tqdm

from sparsecourse import costs, methods
from sparsecourse.population import Population
from sparsecourse.tasks import PARTS


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
    networks, task, method=None, *, seeds=None, steps=1000, batch=100, learning_rate=5e-3, records=1, interruptible=True
):
    """Train networks of one shape together, with Adam and a learning rate that falls to zero along a cosine.

    Interrupting the kernel ends the training early: what is trained so far comes back, and the table says how many
    steps each network did. Sweeps that store what comes back ask for the interrupt instead. A graphics card is used
    where there is one.

    Args:
        networks: list of ``nn.Module`` of the same shape. They are left as they are.
        task: a ``tasks.Task``, or a list of one a network, all of the same shapes.
        method: a method from ``methods``, or a list of one a network; None trains and cuts nothing.
        seeds: seed of each network's data order; None counts from 0.
        steps: steps of the optimiser in one round; a method may need several rounds.
        batch: examples a step.
        learning_rate: at the beginning of each round.
        records: how many times a round, evenly spaced, a line goes into the history.
        interruptible: whether an interrupt brings back what is trained so far; otherwise it is raised.

    Returns:
        A :class:`Result`.

    Raises:
        ValueError: something does not fit; found before any training.

    Warns:
        UserWarning: networks diverged, or are not as sparse in the end as was asked; the table says which.
    """
    networks = list(networks)
    n = len(networks)
    tasks = _one_each(task, n, "tasks")
    chosen = _one_each(methods.Dense() if method is None else method, n, "methods")
    seeds = list(range(n)) if seeds is None else _one_each(list(seeds), n, "seeds")
    _check_numbers(steps=steps, batch=batch, records=records)
    if not (learning_rate > 0 and math.isfinite(learning_rate)):
        raise ValueError(f"the learning rate must be a positive number, got {learning_rate}")

    for place, network in enumerate(networks):
        if not _is_finite(network):
            raise ValueError(f"network {place} holds NaN or infinity before any training")
    # Those that need the most rounds come first: the ones still in training are then always the first few.
    order = sorted(range(n), key=lambda place: -chosen[place].rounds)
    population = Population([networks[place] for place in order], [tasks[place] for place in order])
    members = [
        _Member(place, network, chosen[place], seeds[place], batches(len(tasks[place].train[0]), batch, seeds[place]))
        for place, network in zip(order, population.networks, strict=True)
    ]

    history, started, rounds = [], time.perf_counter(), members[0].method.rounds
    with tqdm(total=rounds * steps, desc=f"{n} networks", unit=" steps", leave=False) as bar:
        try:
            for number in range(rounds):
                active = [member for member in members if member.method.rounds > number]
                for clock in _train_round(population, active, number, steps, learning_rate):
                    if clock.step * records // steps > (clock.step - 1) * records // steps:
                        history += _record(population, active, clock)
                    bar.update()
        except KeyboardInterrupt:
            if not interruptible:
                raise
            done, asked = members[0].steps, rounds * steps
            words = f"interrupted after {done:,} of {asked:,} steps; what was trained until then comes back"
            warnings.warn(words, stacklevel=2)
    seconds = (time.perf_counter() - started) / n
    for member in members:
        member.finish(steps)
    _warn_of_losses(members)
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
                self.failure = str(error)


def _train_round(population, members, number, steps, learning_rate):
    """One round of training for the first few networks of a population, a clock a step."""
    parameters = {
        name: tensor[: len(members)].detach().requires_grad_() for name, tensor in population.parameters.items()
    }
    optimiser = torch.optim.Adam(parameters.values(), fused=True)
    for step in range(1, steps + 1):
        optimiser.param_groups[0]["lr"] = rate = learning_rate * methods.cosine(step, steps)
        losses = population.losses(parameters, torch.stack([next(member.batches) for member in members]))
        optimiser.zero_grad()
        losses.sum().backward()  # a sum: each network gets the gradient of its own loss, however many there are
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


def _warn_of_losses(members):
    if diverged := sum(member.diverged for member in members):
        warnings.warn(f"{diverged} of {len(members)} networks diverged; their scores are missing", stacklevel=3)
    broken = [member.failure for member in members if member.failure]
    if broken:
        words = f"{len(broken)} of {len(members)} networks are not as was asked; their scores are missing: {broken[0]}"
        warnings.warn(words, stacklevel=3)


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


def _check_numbers(**numbers):
    for name, number in numbers.items():
        if number != int(number) or number < 1:
            raise ValueError(f"{name} must be a whole number from 1 up, got {number}")

"""Train many networks of one shape at once, each with its own seed, mask, data order and method."""

import copy
import math
import time
import warnings
from dataclasses import dataclass

import pandas as pd
import torch
from tqdm.auto import tqdm

from sparsecourse import measure, methods
from sparsecourse.population import Population
from sparsecourse.tasks import PARTS


@dataclass(frozen=True)
class Result:
    """What came of training.

    Attributes:
        table: data frame with a row a network, in the order given: method, strength, requested_sparsity, sparsity,
            seed, train and validation metric, multiply_adds of one example, steps, diverged, seconds (the time of the
            whole population, shared out evenly).
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
    records=1,
    interruptible=True,
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
        AssertionError: a network is not as sparse in the end as was asked.
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
        _Member(place, network, copy.copy(chosen[place]), seeds[place], len(tasks[place].train[0]), batch)
        for place, network in zip(order, population.networks, strict=True)
    ]
    for member in members:
        member.method.before(member.network)

    started, rounds = time.perf_counter(), members[0].method.rounds if members else 0
    with tqdm(total=rounds * steps, desc=f"{n} networks", unit=" steps", leave=False) as bar:
        try:
            for number in range(rounds):
                active = [member for member in members if member.method.rounds > number]
                _train_round(population, active, number, steps, learning_rate, records, bar)
        except KeyboardInterrupt:
            if not interruptible:
                raise
            done, asked = members[0].steps, rounds * steps
            words = f"interrupted after {done:,} of {asked:,} steps; what was trained until then comes back"
            warnings.warn(words, stacklevel=2)
    seconds = (time.perf_counter() - started) / n
    return _result(population, members, networks, steps, seconds)


def score(networks, task, part="test"):
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
    numbers = Population(networks, _one_each(task, len(networks), "tasks")).scores(part).tolist()
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


def cosine(step, steps, learning_rate):
    """Learning rate of a step, counted from 1, along half a cosine from ``learning_rate`` down to zero."""
    return learning_rate * (1 + math.cos(math.pi * (step - 1) / steps)) / 2


def multiply_adds(network):
    """Multiply-adds of one example through a fully connected network: one for each weight that is not zero."""
    return sum(int(W.count_nonzero()) for W in measure.used_weights(network).values())


class _Member:
    """One network of a population, with what training must know about it."""

    def __init__(self, place, network, method, seed, examples, batch):
        self.place, self.network, self.method, self.seed = place, network, method, seed
        self.batches = batches(examples, batch, seed)
        self.steps, self.diverged, self.history = 0, False, []

    def after_step(self, progress):
        """The method's moment; a network that has diverged is left alone from then on."""
        self.steps += 1
        if not self.diverged:
            try:
                self.method.after_step(self.network, progress)
            except methods.DivergedError:
                self.diverged = True


def _train_round(population, members, number, steps, learning_rate, records, bar):
    """One round of training for the first few networks of a population."""
    parameters = {
        name: tensor[: len(members)].detach().requires_grad_() for name, tensor in population.parameters.items()
    }
    optimiser = torch.optim.Adam(parameters.values(), fused=True)
    for step in range(1, steps + 1):
        optimiser.param_groups[0]["lr"] = rate = cosine(step, steps, learning_rate)
        losses = population.losses(parameters, torch.stack([next(member.batches) for member in members]))
        optimiser.zero_grad()
        losses.sum().backward()  # a sum: each network gets the gradient of its own loss, however many there are
        optimiser.step()
        progress = methods.Progress(number, step, steps, rate)
        for member in members:
            member.after_step(progress)
        if step * records // steps > (step - 1) * records // steps:
            _record(population, members, progress)
        bar.update()


def _record(population, members, progress):
    """Write a line of history for each network."""
    for member, number in zip(members, population.scores("validation", len(members)).tolist(), strict=True):
        sparsity = methods.realised_sparsity(member.network)
        member.history.append((member.place, progress.round, progress.step, sparsity, number))


def _result(population, members, originals, steps, seconds):
    """Ask every network for its sparsity and scores, and give it back as a module of its own."""
    metric = population.task.metric
    scores = {f"{part}_{metric}": population.scores(part).tolist() for part in ("train", "validation")}
    rows, trained = [None] * len(members), [None] * len(members)
    for k, member in enumerate(members):
        member.diverged |= not _is_finite(member.network)
        if not member.diverged and member.steps == member.method.rounds * steps:
            member.method.at_end(member.network)
        rows[member.place] = {
            "method": member.method.label,
            "strength": member.method.strength,
            "requested_sparsity": member.method.sparsity,
            "sparsity": methods.realised_sparsity(member.network),
            "seed": member.seed,
            **{name: math.nan if member.diverged else numbers[k] for name, numbers in scores.items()},
            "multiply_adds": multiply_adds(member.network),
            "steps": member.steps,
            "diverged": member.diverged,
            "seconds": seconds,
        }
        trained[member.place] = copy.deepcopy(originals[member.place])
        trained[member.place].load_state_dict(member.network.state_dict())
    if diverged := sum(member.diverged for member in members):
        warnings.warn(f"{diverged} of {len(members)} networks diverged; their scores are missing", stacklevel=3)
    table = pd.DataFrame(rows).astype({"strength": float, "requested_sparsity": float})
    records = [record for member in sorted(members, key=lambda member: member.place) for record in member.history]
    columns = ["network", "round", "step", "sparsity", f"validation_{metric}"]
    return Result(table, trained, pd.DataFrame(records, columns=columns))


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

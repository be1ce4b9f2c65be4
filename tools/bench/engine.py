"""Training many networks at once: its speed against plain loops, its memory, and six lessons at once."""

import itertools
import multiprocessing
import statistics
import threading
import time
from concurrent.futures import ProcessPoolExecutor

import psutil
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from sparsecourse import layers, tasks, training
from tools import lessons, memory
from tools.run import run_notebook

SIZES = {"40-50-50-10": (40, 50, 50, 10), "40-100-100-10": (40, 100, 100, 10), "40-256-256-10": (40, 256, 256, 10)}
COUNTS = (1, 8, 32, 128)
BATCH, STEPS, REPEATS = 100, 60, 5


def linear_network(sizes, seed):
    """The same network in plain PyTorch, without masks."""
    torch.manual_seed(seed)
    linear = [nn.Linear(n_in, n_out) for n_in, n_out in itertools.pairwise(sizes)]
    return nn.Sequential(*[module for layer in linear for module in (layer, nn.ReLU())][:-1])


# Each of the following returns milliseconds for one step of one network.


def population(networks, task):
    """All networks at once, by ``training.train``; what a training costs once is taken off."""
    start = time.perf_counter()
    training.train(networks, task, steps=STEPS, batch=BATCH)
    overhead = time.perf_counter()
    training.train(networks, task, steps=1, batch=BATCH)
    return 1e3 * (overhead - start - (time.perf_counter() - overhead)) / (STEPS - 1) / len(networks)


def plain_loop(network, task, threads):
    """The best plain loop that we know: whole batches by index, fused Adam, no loader."""
    torch.set_num_threads(threads)
    X, y = task.train
    order = training.batches(len(X), BATCH, seed=0)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    start = time.perf_counter()
    for _ in range(STEPS):
        rows = next(order)
        loss = task.loss(network(X[rows]), y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return 1e3 * (time.perf_counter() - start) / STEPS


def tutorial_loop(network, task, threads):
    """The loop of most tutorials: a DataLoader, and Adam as it comes."""
    torch.set_num_threads(threads)
    loader = DataLoader(TensorDataset(*task.train), batch_size=BATCH, shuffle=True)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    start, steps = time.perf_counter(), 0
    for X, y in loader:
        loss = task.loss(network(X), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        steps += 1
    return 1e3 * (time.perf_counter() - start) / steps


def floor(sizes, n, threads):
    """Only the matrix products of a step: forward, and backward to weights and inputs."""
    torch.set_num_threads(threads)
    shapes = list(itertools.pairwise(sizes))
    inputs = [torch.randn(n, BATCH, n_in) for n_in, _ in shapes]
    weights = [torch.randn(n, n_out, n_in) for n_in, n_out in shapes]
    errors = [torch.randn(n, BATCH, n_out) for _, n_out in shapes]
    start = time.perf_counter()
    for _ in range(STEPS):
        for layer, (x, W, error) in enumerate(zip(inputs, weights, errors, strict=True)):
            torch.bmm(x, W.mT)
            torch.bmm(error.mT, x)
            if layer:
                torch.bmm(error, W)
    return 1e3 * (time.perf_counter() - start) / STEPS / n


def medians(contenders):
    """Median time of each contender, taken in turn; one round to warm up is thrown away."""
    times = {name: [] for name in contenders}
    threads = torch.get_num_threads()
    for _ in range(REPEATS + 1):
        for name, contender in contenders.items():
            times[name].append(contender())
            torch.set_num_threads(threads)
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def compare(sizes, n, task):
    """Milliseconds a step and network, by contender.

    Args:
        sizes: units by layer, from the inputs to the outputs.
        n: how many networks.
        task: what they learn.

    Returns:
        {contender: milliseconds}.
    """
    threads = torch.get_num_threads()
    sparse = [layers.mlp(sizes, seed) for seed in range(n)]
    dense = [linear_network(sizes, seed) for seed in range(n)]
    contenders = {
        "together": lambda: population(dense, task),
        "together, masked": lambda: population(sparse, task),
        "floor, 1 thread": lambda: floor(sizes, n, 1),
        f"floor, {threads} threads": lambda: floor(sizes, n, threads),
        "plain, 1 thread": lambda: plain_loop(linear_network(sizes, 0), task, 1),
        f"plain, {threads} threads": lambda: plain_loop(linear_network(sizes, 0), task, threads),
        "tutorial, 1 thread": lambda: tutorial_loop(linear_network(sizes, 0), task, 1),
        f"tutorial, {threads} threads": lambda: tutorial_loop(linear_network(sizes, 0), task, threads),
    }
    return medians(contenders)


def speed_rows():
    """Lines of the table of speeds."""
    task = tasks.mnist1d()
    yield (
        "| network | networks | together, ms | with masks | floor | best plain loop | tutorial loop | "
        "plain loop / together | together / floor |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, sizes in SIZES.items():
        for n in COUNTS:
            found = compare(sizes, n, task)
            together = found["together"]
            lowest, plain, tutorial = (
                min(value for key, value in found.items() if key.startswith(kind))
                for kind in ("floor", "plain", "tutorial")
            )
            yield (
                f"| {name} | {n} | {together:.3f} | {found['together, masked']:.3f} | {lowest:.3f} | "
                f"{plain:.3f} | {tutorial:.3f} | {plain / together:.1f}× | {together / lowest:.1f}× |"
            )


def memory_above_idle(sizes, n):
    """What training takes of memory above what the process has with the course imported and the task at hand.

    Args:
        sizes: units by layer, from the inputs to the outputs.
        n: how many networks are trained at once.

    Returns:
        Bytes.
    """
    task = tasks.mnist1d()
    me = psutil.Process().pid
    idle = memory.resident(me)
    with memory.peak(lambda: {"me": memory.resident(me)}, seconds=0.01) as largest:
        training.train([layers.mlp(sizes, seed) for seed in range(n)], task, steps=30)
    return largest["me"] - idle


def memory_rows():
    """Lines of the table of memory; each number comes from a new process."""
    yield "| network | networks | memory above an idle kernel, MB |"
    yield "|---|---|---|"
    for name in ("40-100-100-10", "40-256-256-10"):
        for n in (1, 32, 128):
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
                above = process.submit(memory_above_idle, SIZES[name], n).result()
            yield f"| {name} | {n} | {above / 1e6:.0f} |"


def six_lessons():
    """Seconds of six lessons one after the other, and all at once."""
    chosen = [lessons.read(path) for path in lessons.paths() if path.name[:2] in ("01", "02", "03", "04", "05", "06")]
    start = time.perf_counter()
    for notebook in chosen:
        run_notebook(notebook)
    in_turn = time.perf_counter() - start
    runners = [threading.Thread(target=run_notebook, args=(notebook,)) for notebook in chosen]
    start = time.perf_counter()
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    return in_turn, time.perf_counter() - start


def lines(machine):
    """Lines of the engine's page, as they are measured.

    Args:
        machine: the sentence on where and when, which comes first.
    """
    yield f"{machine} Batch {BATCH}; medians of {REPEATS} repeats, taken in turn."
    yield ""
    yield from speed_rows()
    yield ""
    yield from memory_rows()
    yield ""
    in_turn, at_once = six_lessons()
    yield (
        f"Lessons 01 to 06: {in_turn:.0f} s one after the other, {at_once:.0f} s all at once: {at_once / in_turn:.2f}×."
    )

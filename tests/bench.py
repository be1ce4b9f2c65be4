"""What the engine and the layers cost: measured, never asserted. `make bench` writes docs/engine.md and docs/layers.md.

python tests/bench.py [engine] [layers]    one of the two, or both

Every comparison is made within one run, its sides taken in turn, and given as the median of several repeats.
"""

import argparse
import copy
import datetime
import functools
import itertools
import os
import platform
import statistics
import subprocess
import sys
import threading
import time

import lessons
import psutil
import torch
from torch import nn
from torch.nn.utils import parametrize, prune
from torch.utils.data import DataLoader, TensorDataset

from sparsecourse import doctor, layers, masks, storage, tasks, training

SIZES = {"40-50-50-10": (40, 50, 50, 10), "40-100-100-10": (40, 100, 100, 10), "40-256-256-10": (40, 256, 256, 10)}
COUNTS = (1, 8, 32, 128)
BATCH, STEPS, REPEATS = 100, 60, 5
BEGIN, END = "<!-- measured: written by make bench -->", "<!-- end of what was measured -->"


def linear_network(sizes, seed):
    """The same network in plain PyTorch, without masks."""
    torch.manual_seed(seed)
    linear = [nn.Linear(n_in, n_out) for n_in, n_out in itertools.pairwise(sizes)]
    return nn.Sequential(*[module for layer in linear for module in (layer, nn.ReLU())][:-1])


# Each of the following returns milliseconds for one step of one network.


def population(networks, task):
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
    """Milliseconds a step and network, by contender."""
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


def memory_rows():
    yield "| network | networks | memory above an idle kernel, MB |"
    yield "|---|---|---|"
    for name in ("40-100-100-10", "40-256-256-10"):
        for n in (1, 32, 128):
            code = (
                "import psutil, threading, time, sparsecourse, torch\n"
                "from sparsecourse import doctor, layers, masks, storage, tasks, training\n"
                "task = tasks.mnist1d()\n"
                "me = psutil.Process()\n"
                "idle = peak = me.memory_info().rss\n"
                "done = threading.Event()\n"
                "def watch():\n"
                "    global peak\n"
                "    while not done.wait(0.01):\n"
                "        peak = max(peak, me.memory_info().rss)\n"
                "watcher = threading.Thread(target=watch); watcher.start()\n"
                f"training.train([layers.mlp({SIZES[name]}, s) for s in range({n})], task, steps=30)\n"
                "done.set(); watcher.join(); print((peak - idle) / 1e6)\n"
            )
            out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
            yield f"| {name} | {n} | {float(out):.0f} |"


def six_lessons():
    """Seconds of six lessons one after the other, and all at once."""
    chosen = [lessons.read(path) for path in lessons.paths() if path.name[:2] in ("01", "02", "03", "04", "05", "06")]
    start = time.perf_counter()
    for notebook in chosen:
        lessons.run(notebook)
    in_turn = time.perf_counter() - start
    runners = [threading.Thread(target=lessons.run, args=(notebook,)) for notebook in chosen]
    start = time.perf_counter()
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    return in_turn, time.perf_counter() - start


# ------------------------------------------------------------------------------------------------------- layers


class Masking(nn.Module):
    """A parametrization: the weight times a mask."""

    def __init__(self, S):
        super().__init__()
        self.register_buffer("S", S)

    def forward(self, W):
        return W * self.S


def masked_in_four_ways(n_in, n_out, sparsity):
    """The same layer without a mask, as a SparseLinear, pruned, parametrized: {name: module}."""
    S = torch.as_tensor(masks.random((n_out, n_in), sparsity, seed=0)).float()
    torch.manual_seed(0)
    dense = nn.Linear(n_in, n_out)
    pruned, parametrized = copy.deepcopy(dense), copy.deepcopy(dense)
    prune.custom_from_mask(pruned, "weight", S)
    parametrize.register_parametrization(parametrized, "weight", Masking(S))
    return {
        "nn.Linear": dense,
        "SparseLinear": layers.SparseLinear.from_linear(dense, S),
        "torch.nn.utils.prune": pruned,
        "parametrization": parametrized,
    }


def training_step_rows(n_in=784, n_out=300, batch=128, repeats=301):
    yield (
        f"A training step of one layer, {n_in} → {n_out}, batch {batch}, 90 % cut: milliseconds, and as a multiple of "
        "nn.Linear."
    )
    yield ""
    x, wanted = torch.randn(batch, n_in), torch.randn(batch, n_out)

    def step(module, optimiser):
        optimiser.zero_grad()
        (module(x) * wanted).mean().backward()
        optimiser.step()

    optimisers = {
        "SGD": lambda module: torch.optim.SGD(module.parameters(), lr=1e-3),
        "Adam, fused": lambda module: torch.optim.Adam(module.parameters(), lr=1e-3, fused=True),
    }
    found = {}
    for name, optimiser_of in optimisers.items():
        modules = masked_in_four_ways(n_in, n_out, 0.9)
        optimiser = {kind: optimiser_of(module) for kind, module in modules.items()}
        calls = {kind: functools.partial(step, modules[kind], optimiser[kind]) for kind in modules}
        times = storage.time_in_turn(calls, repeats)
        found[name] = {kind: statistics.median(values) for kind, values in times.items()}
    yield f"| optimiser | {' | '.join(found['SGD'])} |"
    yield "|---|---|---|---|---|"
    for name, times in found.items():
        cells = [f"{1e3 * value:.2f} ({value / times['nn.Linear']:.2f}×)" for value in times.values()]
        yield f"| {name} | {' | '.join(cells)} |"


@torch.no_grad()
def inference_rows(n=2048, batches=(1, 64), sparsities=(0.8, 0.9, 0.95, 0.99), repeats=25):
    yield f"Inference of one layer, {n} × {n}: milliseconds, and how many times faster than the dense layer."
    yield ""
    yield "| batch | sparsity | dense | W ⊙ S | folded | CSR | COO | BSR, in blocks | best_layout |"
    yield "|---|---|---|---|---|---|---|---|---|"
    shown = ("dense", "masked", "folded", "csr", "coo", "bsr")
    for sparsity, batch in itertools.product(sparsities, batches):
        table = storage.measure_layouts([n], [sparsity], [batch], shown, repeats=repeats).set_index("layout")
        layer = layers.SparseLinear(n, n, S=masks.random((n, n), sparsity, seed=0))
        dense = table.loc["dense", "seconds"]
        cells = [
            f"{1e3 * table.loc[kind, 'seconds']:.2f} ({dense / table.loc[kind, 'seconds']:.1f}×)" for kind in shown
        ]
        yield f"| {batch} | {sparsity:.0%} | {' | '.join(cells)} | {storage.best_layout(layer, batch)} |"


# ------------------------------------------------------------------------------------------------------- pages


def machine():
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"Measured on {datetime.date.today():%Y-%m-%d}: {doctor.processor()}, {os.cpu_count()} cores, "
        f"{memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}, torch {torch.__version__}, "
        f"OMP_WAIT_POLICY={os.environ.get('OMP_WAIT_POLICY', 'unset')}."
    )


def engine():
    """Lines of the engine's page."""
    yield f"{machine()} Batch {BATCH}; medians of {REPEATS} repeats, taken in turn."
    yield ""
    yield from speed_rows()
    yield ""
    yield from memory_rows()
    yield ""
    in_turn, at_once = six_lessons()
    yield (
        f"Lessons 01 to 06: {in_turn:.0f} s one after the other, {at_once:.0f} s all at once: {at_once / in_turn:.2f}×."
    )


def sparse_layers():
    """Lines of the layers' page."""
    yield f"{machine()} Medians, taken in turn."
    yield ""
    yield from training_step_rows()
    yield ""
    yield from inference_rows()


PAGES = {"engine": engine, "layers": sparse_layers}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", choices=[*PAGES, []], default=[], help="what to measure; nothing: all")
    for name in parser.parse_args().pages or PAGES:
        lines = []
        for line in PAGES[name]():
            print(line, flush=True)
            lines.append(line)
        page = lessons.ROOT / "docs" / f"{name}.md"
        head, rest = page.read_text(encoding="utf-8").split(BEGIN)
        text = "\n".join([BEGIN, "", *lines, "", END])
        page.write_text(head + text + rest.split(END)[1], encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()

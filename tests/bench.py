"""What the training engine costs: measured, never asserted. `make bench` writes the table in docs/engine.md.

Every comparison is made within one run, its sides taken in turn, and given as the median of several repeats.
"""

import datetime
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
from torch.utils.data import DataLoader, TensorDataset

from sparselab import layers, tasks, training

SIZES = {"40-50-50-10": (40, 50, 50, 10), "40-100-100-10": (40, 100, 100, 10), "40-256-256-10": (40, 256, 256, 10)}
COUNTS = (1, 8, 32, 128)
BATCH, STEPS, REPEATS = 100, 60, 5
PAGE = lessons.ROOT / "docs" / "engine.md"
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
                "import psutil, threading, time, sparselab, torch\n"
                "from sparselab import layers, tasks, training\n"
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


def processor():
    """The name of this machine's processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main():
    memory = psutil.virtual_memory().total / 2**30
    lines = [
        f"Measured on {datetime.date.today():%Y-%m-%d}: {processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"{platform.system()}, Python {platform.python_version()}, torch {torch.__version__}, "
        f"OMP_WAIT_POLICY={os.environ.get('OMP_WAIT_POLICY', 'unset')}. Batch {BATCH}; medians of {REPEATS} repeats, "
        "taken in turn.",
        "",
    ]
    for rows in (speed_rows, memory_rows):
        for row in rows():
            print(row, flush=True)
            lines.append(row)
        lines.append("")
    in_turn, at_once = six_lessons()
    lines.append(
        f"Lessons 01 to 06: {in_turn:.0f} s one after the other, {at_once:.0f} s all at once: {at_once / in_turn:.2f}×."
    )
    print(lines[-1])
    head, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    text = "\n".join([BEGIN, "", *lines, "", END])
    PAGE.write_text(head + text + rest.split(END)[1], encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()

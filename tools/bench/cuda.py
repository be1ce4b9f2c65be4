"""One run for a machine with a graphics card, under eight minutes: what must hold there, and what the card is good for.

python -m tools.bench.cuda FOLDER                 writes cuda.md and the tables it speaks of into the folder
python -m tools.bench.cuda FOLDER --device cpu    the same without a card: all parts but 2:4 and the tests that need one

Every part is a process of its own with a bound on its time. One that fails or takes too long is recorded with the end
of what it said, and the others go on.
"""

import argparse
import datetime
import itertools
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pandas as pd
import torch

from sparsecourse import doctor, layers, methods, tasks, training
from tools import lessons

NETWORKS = {"MNIST-1D": (40, 256, 256, 10), "MNIST": (784, 300, 100, 10)}
WAYS = {"dense": {}, "random, ERK": {}, "gradual": {"num_updates": 5}, "RigL": {"num_updates": 5}}
COUNTS, STEPS, BATCH, SPARSITY = (1, 16, 64), 30, 100, 0.9
BOUNDS = {"tests": 90, "yardstick": 110, "yardstick, processor": 110, "layouts": 150}  # seconds; 7:40 in all


def machine():
    """What computes: the card, its driver, and the versions of torch and of CUDA."""
    if not torch.cuda.is_available():
        return f"{doctor.processor()}, {os.cpu_count()} cores, no graphics card; torch {torch.__version__}"
    ask = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        driver = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.split()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        driver = "unknown"
    return f"{torch.cuda.get_device_name()}, driver {driver}; torch {torch.__version__}, CUDA {torch.version.cuda}"


def yardstick(path):
    """Write how long a step of one network takes when so many train together: a row a setting, once it is known.

    What a training costs besides its steps is taken off: the time of a training of one step.
    """
    rows = []
    for count, (name, sizes) in itertools.product(COUNTS, NETWORKS.items()):
        task = tasks.mnist1d() if name == "MNIST-1D" else tasks.mnist(6_000)
        networks = [layers.mlp(sizes, seed) for seed in range(count)]
        for way, settings in WAYS.items():
            chosen = [methods.named(way, SPARSITY, sizes=sizes, seed=k, task=task, **settings) for k in range(count)]
            seconds = {}
            for steps in (1, 1, STEPS):  # the first warms up
                start = time.perf_counter()
                training.train(networks, task, chosen, steps=steps, batch=BATCH, interruptible=False)
                seconds[steps] = time.perf_counter() - start
            step = (seconds[STEPS] - seconds[1]) / (STEPS - 1) / count
            rows.append({"network": name, "method": way, "networks": count, "seconds": f"{step:.3g}"})
            pd.DataFrame(rows).assign(machine=machine()).to_csv(path, index=False, lineterminator="\n")


def parts(folder):
    """{name: (command, environment)} of every part; where there is a card, the processor is measured beside it."""
    measure = [sys.executable, "-m", "tools.bench.cuda", "--yardstick"]
    tests = [sys.executable, "-m", "pytest", "-q", "-rs", "-o", "addopts=", "tests/test_devices.py"]
    found = {"tests": (tests, os.environ), "yardstick": ([*measure, f"{folder / 'yardstick.csv'}"], os.environ)}
    if torch.cuda.is_available():
        hidden = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
        found["yardstick, processor"] = ([*measure, f"{folder / 'yardstick_processor.csv'}"], hidden)
    return found | {"layouts": ([sys.executable, "data/results/layouts.py", "--quick", str(folder)], os.environ)}


def run(command, environment, bound):
    """Run a part. Returns what became of it, its seconds, and the end of what it said."""
    start = time.perf_counter()
    settings = {"cwd": lessons.ROOT, "env": environment | {"TQDM_DISABLE": "1"}, "timeout": bound}
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **settings)
        outcome, said = f"failed with {done.returncode}" if done.returncode else "done", done.stdout
    except subprocess.TimeoutExpired as late:
        outcome, said = f"stopped after {bound} s; what it had written stays", late.stdout or b""
    return outcome, time.perf_counter() - start, said.decode(errors="replace")[-2_000:].strip()


def report(folder):
    """Lines of cuda.md, as the parts come to their ends."""
    yield f"Measured on {datetime.date.today():%Y-%m-%d}: {machine()}."
    for name, (command, environment) in parts(folder).items():
        outcome, seconds, said = run(command, environment, BOUNDS[name])
        yield f"\n- {name}: {outcome}, {seconds:.0f} s"
        yield from (f"\n{textwrap.indent(said, ' ' * 6)}",) if said else ()
    keys = ["network", "method", "networks"]
    found = {path.stem: pd.read_csv(path).set_index(keys)["seconds"] for path in sorted(folder.glob("yardstick*.csv"))}
    if found:
        yield f"\nMicroseconds a network and step, batches of {BATCH}, {SPARSITY:.0%} cut, so many networks at once.\n"
        yield f"| {' | '.join([*keys, *found])} |"
        yield "|---" * (len(keys) + len(found)) + "|"
        for key, values in pd.DataFrame(found).mul(1e6).sort_index(level="networks", sort_remaining=False).iterrows():
            yield f"| {' | '.join([*map(str, key), *(f'{value:.0f}' for value in values)])} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", type=Path, nargs="?", help="where to write")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help="what to measure")
    parser.add_argument("--yardstick", metavar="TABLE", type=Path, help="only this part, into a table")
    asked = parser.parse_args()
    if asked.yardstick:
        return yardstick(asked.yardstick)
    if asked.folder is None:
        parser.error("name a folder to write into")
    if asked.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # before torch looks for a card
    elif not torch.cuda.is_available():
        parser.error("torch finds no graphics card here; --device cpu runs what needs none")
    folder = asked.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "cuda.md", "w", encoding="utf-8") as page:
        for line in report(folder):
            print(line, flush=True)
            print(line, file=page, flush=True)


if __name__ == "__main__":
    main()

"""LeNet-300-100 on MNIST, the field's common yardstick: writes lenet.csv, and lenet_pixels.csv for a picture.

784-300-100-10 with ReLU; 55,000 examples to train on, 5,000 for choices, 10,000 for one look at the end; Adam, batches
of 100, a learning rate that falls to zero along a cosine. Every method trains for 20 epochs: one-shot pruning 10 before
the cut and 10 after it. The lottery ticket trains longer: 10 epochs in each of its rounds, and each round cuts about a
third of what is left. Three methods whose papers train longer also get 100 epochs, once. Sparsity counts all three
weight matrices; biases are never cut.

From the course's folder: ``make lenet``. It takes an hour or two on two cores, a network on each. Killed on the way, it
goes on where it was: finished networks stay, those in work begin again and come to the same numbers. On a graphics card
the networks of a method train together. ``python data/results/lenet.py --quick FOLDER`` runs the same on fewer images,
and ``--scheduler ADDRESS`` on a Dask cluster: docs/engine.md says how.
"""

import argparse
import datetime
import math
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from sparsecourse import doctor, layers, methods, sweep, tables, tasks, training

SIZES = (784, 300, 100, 10)
BATCH, LEARNING_RATE = 100, 2e-3
LONGER = ("SET", "RigL", "SNIP")  # once with five times the epochs, because their papers train longer
CUT_A_ROUND = 1 / 3  # of what is left, by the lottery ticket; the number of rounds is the nearest that fits
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Size:
    """How much to do.

    Attributes:
        examples: of MNIST's 60,000, for training and validation.
        epochs: of every method but the lottery ticket, which trains half of it a round.
        seeds: networks of each kind.
        levels: sparsities to ask for.
        strengths: of L1.
    """

    examples: int = 60_000
    epochs: int = 20
    seeds: int = 3
    levels: tuple = (0.92, 0.95, 0.98)
    strengths: tuple = (0.05, 0.1, 0.3)


QUICK = Size(examples=1_200, epochs=2, seeds=1, levels=(0.95,), strengths=(0.1,))


def plan(size):
    """Every network, a row each: method, level (a sparsity, or the strength of L1), seed and how much data to see."""
    kinds = ("gradual", "one-shot", "RigL", "SET", "random, ERK", "random, uniform", "SNIP")
    rows = [("dense", 0.0, seed) for seed in range(size.seeds)]
    rows += [(kind, level, seed) for kind in kinds for level in size.levels for seed in range(size.seeds)]
    rows += [("L1", strength, seed) for strength in size.strengths for seed in range(size.seeds)]
    rows += [("lottery", level, seed) for level in size.levels for seed in range(size.seeds)]
    table = pd.DataFrame(rows, columns=["method", "level", "seed"]).assign(examples=size.examples, epochs=size.epochs)
    first = table[table["method"].isin(LONGER) & (table["level"] == 0.95) & (table["seed"] == 0)]
    return pd.concat([table, first.assign(epochs=5 * size.epochs)], ignore_index=True)


def method(name, level, seed, task):
    """The method that a row of the plan asks for."""
    settings = {}
    if name == "lottery":
        settings = {"rounds": 1 + round(math.log(1 - level) / math.log(1 - CUT_A_ROUND))}
    elif name in ("SET", "RigL"):
        settings = {"start": "random, ERK", "num_updates": 100}
    return methods.named(name, level, sizes=SIZES, seed=seed, task=task, **settings)


def run(rows):
    """Results of some rows of one method, the test part included; nothing is chosen by it."""
    (name,), (examples,), (epochs,) = (rows[key].unique() for key in ("method", "examples", "epochs"))
    task = tasks.mnist(int(examples))
    rounds = {"one-shot": 0.5, "lottery": 0.5}.get(name, 1)  # of the epochs, in each round
    began = time.perf_counter()
    result = training.train(
        [layers.mlp(SIZES, seed) for seed in rows["seed"]],
        task,
        [method(*row, task) for row in rows[["method", "level", "seed"]].itertuples(index=False)],
        seeds=rows["seed"].tolist(),
        steps=round(rounds * epochs * math.ceil(len(task.train[0]) / BATCH)),
        batch=BATCH,
        learning_rate=LEARNING_RATE,
        strict=True,
    )
    return scored(rows, task, result, time.perf_counter() - began)


def scored(rows, task, result, seconds):
    """Rows with what their networks reached, and on what, when and how long they were trained."""
    found = result.table[["sparsity", "train_accuracy", "validation_accuracy"]]
    found = found.assign(
        test_accuracy=training.evaluate(result.networks, task, "test"),
        steps=result.table["steps"],
        seconds=round(seconds / len(rows), 1),
        machine=machine(),
        torch=torch.__version__.split("+")[0],
        commit=COMMIT,
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )
    return rows.reset_index(drop=True).join(found.round(6))


def pixels(size):
    """How many units of the first layer hear each pixel: a row a pixel, one network of each kind, cut to 95 %.

    Column "start" is the random mask that SET and RigL begin with; the others are what each kind ends with.
    """
    task, kinds = tasks.mnist(size.examples), ("SET", "RigL", "gradual")
    result = training.train(
        [layers.mlp(SIZES, seed=0) for _ in kinds],
        task,
        [method(kind, 0.95, 0, task) for kind in kinds],
        seeds=[0] * len(kinds),
        steps=size.epochs * math.ceil(len(task.train[0]) / BATCH),
        batch=BATCH,
        learning_rate=LEARNING_RATE,
        strict=True,
    )
    heard = {"start": method("random, ERK", 0.95, 0, task).masks[0].sum(axis=0)}
    for kind, network in zip(kinds, result.networks, strict=True):
        heard[kind] = network[0].mask.sum(dim=0).int().numpy()
    return pd.DataFrame(heard).rename_axis("pixel")


def machine():
    """Name of what computes."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else f"{doctor.processor()}, one core a network"


def commit():
    """The commit of the course that is checked out; with a plus where more than results has been changed since."""

    def git(*words):
        return subprocess.run(
            ["git", "-C", str(HERE), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/", ":!*.csv", ":!SHA256SUMS")
        return git("rev-parse", "--short=7", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


COMMIT = commit()  # now, when the code is loaded: what is changed or checked out later is not what computes


def cores():
    """Processor cores that may be used, 8 at most: each worker holds all images, about 700 MB."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(usable, 8)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", metavar="FOLDER", type=Path, help="run every method on few images; write there")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster whose workers train the networks")
    given = parser.parse_args()
    os.environ.setdefault("TQDM_DISABLE", "1")  # several processes would write over each other's bars
    together = {"at_once": 100} if torch.cuda.is_available() else {"at_once": 1, "workers": cores()}
    if given.scheduler:
        from distributed import Client  # only who has a cluster has this package

        executor = Client(given.scheduler).get_executor(pure=False)  # what has failed once may be tried again
        together = {"at_once": 1, "executor": executor}
    folder, size = (given.quick, QUICK) if given.quick else (HERE, Size())
    folder.mkdir(parents=True, exist_ok=True)
    sweep.resume(plan(size), run, folder / "lenet.csv", together=["method", "epochs"], **together)
    if not (folder / "lenet_pixels.csv").exists():
        pixels(size).to_csv(folder / "lenet_pixels.new", lineterminator="\n")
        os.replace(folder / "lenet_pixels.new", folder / "lenet_pixels.csv")
    tables.write_checksums(folder)


if __name__ == "__main__":
    main()

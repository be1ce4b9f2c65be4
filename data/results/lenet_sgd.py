"""LeNet-300-100 on MNIST by the recipe of those whose figures stand beside ours: writes lenet_sgd.csv.

What differs from lenet.py is how the weights are trained: stochastic gradient descent with Nesterov's momentum 0.9, a
learning rate of 0.1 that falls to a tenth twice, weight decay 5e-4, and 60 epochs. So trains the code of sparse
momentum (Dettmers & Zettlemoyer 2019, github.com/TimDettmers/sparse_learning, mnist_cifar/main.py), for 100 epochs of
540 steps with a fall after every 25,000; here the falls come at the same parts of the training. To tell apart what the
recipe changes, the same at 95 % once with 20 epochs, as lenet.py has, and once without weight decay.

From the course's folder: ``python data/results/lenet_sgd.py``. It takes one to two hours on two cores. Killed on the
way, it goes on where it was.
"""

import argparse
import functools
import math
import os
import time
from pathlib import Path

import pandas as pd
import torch
from lenet import BATCH, HERE, SIZES, cores, method, scored

from sparsecourse import layers, sweep, tables, tasks, training

LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 0.1, 0.9, 5e-4
FALLS = (25 / 54, 50 / 54)  # parts of the training after which the learning rate is a tenth of what it was
KINDS = ("gradual", "RigL", "SET", "SNIP", "random, ERK")
LEVELS = (0.92, 0.95, 0.98)
SEEDS = range(3)


def plan(examples=60_000, epochs=60):
    """Every network, a row each: method, level (a sparsity), weight decay, epochs, seed and how much data to see."""
    rows = [("dense", 0.0, WEIGHT_DECAY, epochs)]
    rows += [(kind, level, WEIGHT_DECAY, epochs) for kind in KINDS for level in LEVELS]
    rows += [("dense", 0.0, WEIGHT_DECAY, epochs // 3), ("dense", 0.0, 0.0, epochs)]
    rows += [(kind, 0.95, WEIGHT_DECAY, epochs // 3) for kind in KINDS]
    rows += [(kind, 0.95, 0.0, epochs) for kind in KINDS]
    table = pd.DataFrame(
        [(*row, seed) for row in rows for seed in SEEDS], columns=["method", "level", "weight_decay", "epochs", "seed"]
    )
    return table.assign(examples=examples)


def falling(step, steps):
    """What the learning rate is multiplied by: 1, a tenth, a hundredth."""
    return 0.1 ** sum(step > fall * steps for fall in FALLS)


def run(rows):
    """Results of some rows of one kind, the test part included; nothing is chosen by it."""
    (examples,), (epochs,), (decay,) = (rows[key].unique() for key in ("examples", "epochs", "weight_decay"))
    task = tasks.mnist(int(examples))
    began = time.perf_counter()
    result = training.train(
        [layers.mlp(SIZES, seed) for seed in rows["seed"]],
        task,
        [method(*row, task) for row in rows[["method", "level", "seed"]].itertuples(index=False)],
        seeds=rows["seed"].tolist(),
        steps=int(epochs) * math.ceil(len(task.train[0]) / BATCH),
        batch=BATCH,
        learning_rate=LEARNING_RATE,
        optimizer=functools.partial(torch.optim.SGD, momentum=MOMENTUM, nesterov=True, weight_decay=float(decay)),
        schedule=falling,
        strict=True,
    )
    return scored(rows, task, result, time.perf_counter() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", metavar="FOLDER", type=Path, help="run every method on few images; write there")
    quick = parser.parse_args().quick
    os.environ.setdefault("TQDM_DISABLE", "1")  # several processes would write over each other's bars
    folder = quick or HERE
    folder.mkdir(parents=True, exist_ok=True)
    todo = plan(examples=1_200, epochs=3) if quick else plan()
    together = {"at_once": 100} if torch.cuda.is_available() else {"at_once": 1, "workers": cores()}
    sweep.resume(todo, run, folder / "lenet_sgd.csv", together=["method", "epochs", "weight_decay"], **together)
    tables.write_checksums(folder)


if __name__ == "__main__":
    main()

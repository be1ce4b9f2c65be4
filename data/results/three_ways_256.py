"""Dense, L1, pruned, wired and rewired networks on MNIST-1D, ten seeds: writes rates_256.csv and three_ways_256.csv.

Two hidden layers of 256 units, 1,500 steps of SGD with momentum 0.9 for every method; dense, random and local also on
the shuffled twin; and narrow dense networks that have as many weights as the sparse ones. The learning rate of each
setting is the one of RATES with the best mean accuracy on the validation part, over seeds of their own. From the
course's folder: ``make results``. It took eighty minutes on two busy cores. Killed on the way, it goes on where it
was.
"""

import functools
from pathlib import Path

import pandas as pd
import torch

from sparsecourse import costs, sweep, tables, tasks, training

SEEDS = range(10)
RATES, RATE_SEEDS = (0.2, 0.3, 0.4, 0.5), range(100, 103)
WIDTH, STEPS = 256, 1500
WIRED = ("random", "local", "SET", "RigL")
LEVELS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
STRENGTHS = (0.0003, 0.001, 0.002, 0.003, 0.005, 0.01)
SETTING = ["method", "level", "width", "shuffled"]
SGD = functools.partial(torch.optim.SGD, momentum=0.9)
HERE = Path(__file__).parent


def networks(seeds):
    """The networks that are compared, a row each, without their learning rates."""
    dense = costs.macs(sweep.sizes(WIDTH))
    narrow = [sweep.dense_width((1 - level) * dense) for level in LEVELS]
    return pd.concat(
        [
            sweep.plan("dense", [0], seeds, WIDTH),
            sweep.plan("L1", STRENGTHS, seeds, WIDTH),
            *(sweep.plan(name, LEVELS, seeds, WIDTH) for name in ("one-shot", "gradual", *WIRED)),
            sweep.plan("dense", [0], seeds, WIDTH, shuffled=True),
            *(sweep.plan(name, LEVELS, seeds, WIDTH, shuffled=True) for name in ("random", "local")),
            *(sweep.plan("dense", [0], seeds, width) for width in narrow),
        ],
        ignore_index=True,
    )


def rates():
    """Every network that a learning rate is chosen by."""
    return pd.concat([networks(RATE_SEEDS).assign(learning_rate=rate) for rate in RATES], ignore_index=True)


def plan():
    """Every network of the sweep, with the learning rate of its setting."""
    tried = tables.read("results", "rates_256").fillna({"validation_accuracy": 0})
    means = tried.groupby([*SETTING, "learning_rate"], as_index=False)["validation_accuracy"].mean()
    best = means.loc[means.groupby(SETTING)["validation_accuracy"].idxmax(), [*SETTING, "learning_rate"]]
    return networks(SEEDS).merge(best, on=SETTING, how="left")


def train(rows, count_cost):
    """Results of some rows with one learning rate, and the networks."""
    (rate,) = rows["learning_rate"].unique()
    return sweep.train(rows, STEPS, count_cost, learning_rate=rate, optimizer=SGD)


def run(rows):
    """Results of some rows, the test part included; nothing is chosen by it."""
    table, trained = train(rows, count_cost=True)
    test = training.evaluate(trained, [tasks.mnist1d(shuffled) for shuffled in rows["shuffled"]], "test")
    return table.assign(test_accuracy=test).round(6)


def main():
    alike = ["width", "learning_rate"]
    sweep.resume(rates(), lambda rows: train(rows, count_cost=False)[0].round(6), HERE / "rates_256.csv", alike)
    tables.write_checksums(HERE)
    sweep.resume(plan(), run, HERE / "three_ways_256.csv", alike)
    tables.write_checksums(HERE)


if __name__ == "__main__":
    main()

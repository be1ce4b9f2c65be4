"""Dense, L1, pruned, wired and rewired networks on MNIST-1D, ten seeds: writes three_ways_256.csv.

Two hidden layers of 256 units, 1,500 steps for every method; dense, random and local also on the shuffled twin; and
narrow dense networks that have as many weights as the sparse ones. From the course's folder: ``make results``. It
takes about twenty minutes on two cores. Killed on the way, it goes on where it was.
"""

from pathlib import Path

import pandas as pd

from sparsecourse import costs, sweep, tables, tasks, training

SEEDS = range(10)
WIDTH, STEPS = 256, 1500
WIRED = ("random", "local", "SET", "RigL")
LEVELS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
STRENGTHS = (0.01, 0.02, 0.04, 0.08, 0.15, 0.2, 0.25, 0.4)
HERE = Path(__file__).parent


def plan():
    """Every network of the sweep, a row each."""
    dense = costs.macs(sweep.sizes(WIDTH))
    narrow = [sweep.dense_width((1 - level) * dense) for level in LEVELS]
    return pd.concat(
        [
            sweep.plan("dense", [0], SEEDS, WIDTH),
            sweep.plan("L1", STRENGTHS, SEEDS, WIDTH),
            *(sweep.plan(name, LEVELS, SEEDS, WIDTH) for name in ("one-shot", "gradual", *WIRED)),
            sweep.plan("dense", [0], SEEDS, WIDTH, shuffled=True),
            *(sweep.plan(name, LEVELS, SEEDS, WIDTH, shuffled=True) for name in ("random", "local")),
            *(sweep.plan("dense", [0], SEEDS, width) for width in narrow),
        ],
        ignore_index=True,
    )


def run(rows):
    """Results of some rows, the test part included; nothing is chosen by it."""
    table, networks = sweep.train(rows, STEPS, count_cost=True)
    test = training.evaluate(networks, [tasks.mnist1d(shuffled) for shuffled in rows["shuffled"]], "test")
    return table.assign(test_accuracy=test).round(6)


def main():
    sweep.resume(plan(), run, HERE / "three_ways_256.csv")
    tables.write_checksums(HERE)


if __name__ == "__main__":
    main()

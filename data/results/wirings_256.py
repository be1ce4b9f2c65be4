"""How far the local wiring's gain goes: its width, its order, and random masks with other densities, ten seeds.

Writes wirings_256.csv. From the course's folder: ``make results``. It takes about six minutes on two cores.
Killed on the way, it goes on where it was.
"""

from pathlib import Path

import pandas as pd

from sparsecourse import layers, methods, sweep, tables, tasks, training

SEEDS = range(10)
STEPS = 1500
LEVEL = 0.77  # about a quarter of the weights
MOVED = (0, 0.05, 0.1, 0.2, 0.4, 1)
WIDTHS = (64, 128, 256, 384)
LEVELS = (0.8, 0.9, 0.95)
HERE = Path(__file__).parent


def plan():
    """Every network: its wiring, sparsity asked for, part of the connections moved, seed and width."""
    rows = [("small world", LEVEL, moved, seed, 256) for moved in MOVED for seed in SEEDS]
    rows += [(name, level, 0, seed, 256) for name in ("uniform", "ERK") for level in LEVELS for seed in SEEDS]
    rows += [("dense", 0, 0, seed, width) for width in WIDTHS for seed in SEEDS]
    rows += [("local", LEVEL, 0, seed, width) for width in WIDTHS for seed in SEEDS]
    table = pd.DataFrame(rows, columns=["wiring", "level", "moved", "seed", "width"])
    return table.astype({"level": float, "moved": float})


def method(wiring, level, moved, seed, width):
    """The method that a row of the plan asks for."""
    settings = {"rewiring_probability": moved} if wiring == "small world" else {}
    name = {"uniform": "random, uniform", "ERK": "random, ERK"}.get(wiring, wiring)
    return methods.named(name, level, sizes=sweep.sizes(width), seed=seed, task=tasks.mnist1d(), **settings)


def run(rows):
    """Results of some rows, the test part included; nothing is chosen by it."""
    chosen = [method(*row) for row in rows.itertuples(index=False)]
    networks = [layers.mlp(sweep.sizes(row.width), row.seed) for row in rows.itertuples()]
    task = tasks.mnist1d()
    result = training.train(networks, task, chosen, seeds=rows["seed"].tolist(), steps=STEPS, strict=True)
    found = result.table[["sparsity", "train_accuracy", "validation_accuracy"]]
    test = training.evaluate(result.networks, task, "test")
    return rows.reset_index(drop=True).join(found).assign(test_accuracy=test).round(6)


def main():
    sweep.resume(plan(), run, HERE / "wirings_256.csv")
    tables.write_checksums(HERE)


if __name__ == "__main__":
    main()

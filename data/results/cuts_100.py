"""One cut or many, in one training or after one: what separates one-shot from gradual pruning, ten seeds.

Writes cuts_100.csv: MNIST-1D, two hidden layers of 100 units, rounds of 700 steps, as in lesson 06. From the course's
folder: ``make results``. It takes about three minutes on two cores. Killed on the way, it goes on where it was.
"""

from pathlib import Path

import pandas as pd

from sparsecourse import layers, methods, sweep, tables, tasks, training

SEEDS = range(10)
SIZES, STEPS = (40, 100, 100, 10), 700
LEVELS = (0.5, 0.8, 0.9, 0.95, 0.98)
BEFORE = 0.01  # a schedule of one update makes it at its end
HERE = Path(__file__).parent


def one_cut(sparsity, at):
    """All of it in one step, when a fraction ``at`` of the training is done."""
    return methods.Pruning(sparsity, methods.Cubic(num_updates=1, begin=at - BEFORE, end=at))


SETTINGS = {  # name: rounds of dense training before, and what is done in the round after them
    "dense": (0, lambda level: methods.Dense()),
    "dense, second round": (1, lambda level: methods.Dense()),
    "one cut, second round": (1, lambda level: methods.Pruning(level, methods.before_training)),
    "many cuts, second round": (1, methods.Gradual),
    "many cuts": (0, methods.Gradual),
    "one cut at 20 %": (0, lambda level: one_cut(level, 0.2)),
    "one cut at 45 %": (0, lambda level: one_cut(level, 0.45)),
    "one cut at 70 %": (0, lambda level: one_cut(level, 0.7)),
}


def plan():
    """Every network: its setting, the sparsity asked for, and its seed."""
    rows = [
        (name, float(level), seed)
        for name in SETTINGS
        for level in ((0,) if name.startswith("dense") else LEVELS)
        for seed in SEEDS
    ]
    return pd.DataFrame(rows, columns=["setting", "level", "seed"])


def run(rows):
    """Results of some rows of one setting, the test part included; nothing is chosen by it."""
    rows, task = rows.reset_index(drop=True), tasks.mnist1d()
    (name,) = rows["setting"].unique()
    before, method = SETTINGS[name]
    networks = [layers.mlp(SIZES, seed) for seed in rows["seed"]]
    chosen = [method(level) for level in rows["level"]]
    if before:
        first = training.train(
            [layers.mlp(SIZES, seed) for seed in SEEDS], task, seeds=list(SEEDS), steps=STEPS, strict=True
        )
        networks = [first.networks[seed] for seed in rows["seed"]]
    result = training.train(networks, task, chosen, seeds=rows["seed"].tolist(), steps=STEPS, strict=True)
    found = result.table[["sparsity", "train_accuracy", "validation_accuracy"]]
    test = training.evaluate(result.networks, task, "test")
    return rows.join(found).assign(test_accuracy=test).round(6)


def main():
    sweep.resume(plan(), run, HERE / "cuts_100.csv", together="setting", at_once=50)
    tables.write_checksums(HERE)


if __name__ == "__main__":
    main()

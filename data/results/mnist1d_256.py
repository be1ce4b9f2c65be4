"""Dense, L1, pruned and random networks on MNIST-1D, two hidden layers of 256, ten seeds: writes mnist1d_256.csv.

From the course's folder: ``make results``. It takes about 25 minutes on two cores.
"""

from pathlib import Path

import pandas as pd

from sparsecourse import layers, methods, tables, tasks, training

SIZES = (40, 256, 256, 10)
SEEDS = range(10)
SPARSITIES = (0.5, 0.8, 0.9, 0.95, 0.98)
STRENGTHS = (0.01, 0.02, 0.04, 0.08, 0.15, 0.25, 0.4)
AT_ONCE = 40  # networks; more would need more memory and be no faster
HERE = Path(__file__).parent


def settings():
    """(name in the table, name of the method, level, what else it takes) of every setting."""
    yield "dense", "dense", 0, {}
    for strength in STRENGTHS:
        yield "L1", "L1", strength, {}
    for s in SPARSITIES:
        yield "random", "random, uniform", s, {}
        yield "random, dense start", "random, uniform", s, {"rescale": False}
        yield "one-shot, not retrained", "one-shot", s, {"retrain": False}
        for scope in methods.SCOPES:
            yield f"one-shot, {scope}", "one-shot", s, {"scope": scope}
            yield f"gradual, {scope}", "gradual", s, {"scope": scope}


def main():
    task = tasks.mnist1d()
    plan = [
        (shown, seed, methods.named(name, level, sizes=SIZES, seed=seed, task=task, **options))
        for shown, name, level, options in settings()
        for seed in SEEDS
    ]
    pieces = []
    for first in range(0, len(plan), AT_ONCE):
        names, seeds, chosen = (list(column) for column in zip(*plan[first : first + AT_ONCE], strict=True))
        networks = [layers.mlp(SIZES, seed) for seed in seeds]
        result = training.train(networks, task, chosen, seeds=seeds, steps=1500, strict=True)
        test = training.evaluate(result.networks, task, "test")
        table = result.table.assign(method=names, test_accuracy=test)
        pieces.append(table.drop(columns=["seconds", "diverged", "failure"]))
        print(f"{first + len(names)} of {len(plan)} networks", flush=True)
    pd.concat(pieces).round(6).to_csv(HERE / "mnist1d_256.csv", index=False, lineterminator="\n")
    tables.write_checksums(HERE)


if __name__ == "__main__":
    main()

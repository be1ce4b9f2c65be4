"""Who drives best? Five kinds of circuits of up to 19 neurons and an LSTM imitate an expert, then drive, ten seeds.

Writes driving_19.csv (a row a network, noise and weather) and circuits_19.safetensors (the circuits of seed 0, which
the capstone's panel lets drive). From the course's folder: ``python data/results/circuits_19.py``. It takes about ten
minutes on two cores.
"""

from pathlib import Path

import pandas as pd
from tqdm import tqdm

from sparsecourse import circuits, driving, tables, training

SEEDS = range(10)
STEPS, BATCH, LEARNING_RATE = 1000, 32, 1e-2
MOVES = (1, circuits.MOVES)
ROADS = range(1000, 1064)  # the test roads; nothing is chosen by them
WEATHERS = [(noise, False) for noise in (0.0, 0.1, 0.3, 0.6, 1.0)] + [(0.1, True)]
HERE = Path(__file__).parent


def drives(network):
    """How a network drives in each weather: a row each, means over the roads."""
    rows = []
    for noise, shadows in WEATHERS:
        found = driving.drive(network, ROADS, noise=noise, shadows=shadows)
        kept, metres = found.kept.float().mean().item(), found.metres.mean().item()
        rows.append({"noise": noise, "shadows": shadows, "kept": kept, "metres": metres})
    return pd.DataFrame(rows)


def main():
    task = driving.lane_keeping()
    populations = {
        f"circuits, {moves} moves": [
            (kind, moves, seed, circuits.Circuit(circuits.wiring(kind, seed), seed, moves))
            for kind in circuits.CIRCUITS
            for seed in SEEDS
        ]
        for moves in MOVES
    }
    populations["LSTM"] = [("LSTM", 1, seed, circuits.LSTM(64, seed)) for seed in SEEDS]
    found, kept = [], {}
    for name, members in populations.items():
        networks, seeds = [member[3] for member in members], [member[2] for member in members]
        result = training.train(
            networks, task, seeds=seeds, steps=STEPS, batch=BATCH, learning_rate=LEARNING_RATE, strict=True
        )
        errors = {part: training.evaluate(result.networks, task, part) for part in ("train", "validation", "test")}
        for k, (kind, moves, seed, _) in enumerate(tqdm(members, desc=f"{name}, driving")):
            network = result.networks[k]
            numbers = {f"{part}_error": error[k] for part, error in errors.items()}
            found.append(drives(network).assign(kind=kind, moves=moves, seed=seed, **numbers))
            if seed == 0 and isinstance(network, circuits.Circuit) and moves == circuits.MOVES:
                kept[kind] = network
    order = [
        "kind",
        "moves",
        "seed",
        "train_error",
        "validation_error",
        "test_error",
        "noise",
        "shadows",
        "kept",
        "metres",
    ]
    table = pd.concat(found)[order].round(6)
    table.to_csv(HERE / "driving_19.csv", index=False, lineterminator="\n")
    circuits.save(kept, HERE / "circuits_19.safetensors")
    tables.write_checksums(HERE)


if __name__ == "__main__":
    main()

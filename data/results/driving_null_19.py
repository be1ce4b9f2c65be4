"""What is the shape of the policy worth? The drivers of driving_19.csv once more, and their null, by a finer score.

The null, "rewired", is a neural circuit policy in which every input and every neuron keeps its number of synapses and
the partners are drawn by lot, so that the columns are gone. Writes driving_null_19.csv (a row a network and noise; the
finer score is how far off the middle the cars drove) and silenced_19.csv (a row a neuron of the ten policies: its
influence on the motor neuron, and what its silence does). From the course's folder:
``python data/results/driving_null_19.py``. It takes about four minutes on two cores.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from sparsecourse import circuits, driving, masks, tables, training

SEEDS = range(10)
STEPS, BATCH, LEARNING_RATE = 1000, 32, 1e-2  # as in circuits_19.py
NOISES, ROADS = (0.0, 0.1, 0.3, 0.6, 1.0), range(1000, 1064)  # the test roads; nothing is chosen by them
SILENCED_ON, SILENCED_NOISE = list(range(1000, 1016)), 0.1
HERE = Path(__file__).parent


def wiring(kind, seed):
    """The mask of a driver, or of the null: the policy of this seed with its partners drawn anew."""
    if kind == "rewired":
        return masks.rewired(circuits.wiring("NCP", seed), seed)
    return circuits.wiring(kind, seed)


def off_middle(drive):
    """How far off the middle each car was on the average, m, (cars,); no moment counts as more than 1 m."""
    return drive.offset.double().abs().clamp(max=driving.HALF_LANE).mean(dim=1)


def drives(network):
    """How a network drives at each noise: a row each, means over the roads."""
    rows = []
    for noise in NOISES:
        found = driving.drive(network, ROADS, noise=noise)
        scores = {"kept": found.kept.double(), "metres": found.metres.double(), "off_middle": off_middle(found)}
        rows.append({"noise": noise} | {name: score.mean().item() for name, score in scores.items()})
    return pd.DataFrame(rows)


def influence(circuit):
    """Strength of each neuron's paths of one and two synapses to the motor neuron, as in exercise 11.4."""
    A = np.abs(circuit.synapses.weight.detach().numpy())[:, circuit.inputs :]
    direct = np.append(A[-1, :-1], 0)
    return direct + direct @ A


def silenced(circuit):
    """What becomes of a circuit without each of its neurons: a row each, and a last one with all."""
    neurons = circuit.neurons
    alive = torch.cat([1 - torch.eye(neurons), torch.ones(1, neurons)])
    circuit.alive = alive.repeat_interleave(len(SILENCED_ON), dim=0)
    found = driving.drive(circuit, SILENCED_ON * (neurons + 1), noise=SILENCED_NOISE)
    circuit.alive = torch.ones(neurons)
    scores = {"metres": found.metres.double(), "off_middle": off_middle(found)}
    columns = {name: score.view(neurons + 1, -1).mean(dim=1).numpy() for name, score in scores.items()}
    names = [*range(1, neurons + 1), 0]
    return pd.DataFrame({"silent": names, "influence": np.append(influence(circuit), np.nan), **columns})


def main():
    task = driving.lane_keeping()
    populations = {
        "circuits": [
            (kind, seed, circuits.Circuit(wiring(kind, seed), seed))
            for kind in ("rewired", *circuits.CIRCUITS)
            for seed in SEEDS
        ],
        "LSTM": [("LSTM", seed, circuits.LSTM(64, seed)) for seed in SEEDS],
    }
    found, without = [], []
    for name, members in populations.items():
        networks, seeds = [member[2] for member in members], [member[1] for member in members]
        result = training.train(
            networks, task, seeds=seeds, steps=STEPS, batch=BATCH, learning_rate=LEARNING_RATE, strict=True
        )
        errors = {part: training.evaluate(result.networks, task, part) for part in ("validation", "test")}
        for k, (kind, seed, _) in enumerate(tqdm(members, desc=f"{name}, driving")):
            numbers = {f"{part}_error": error[k] for part, error in errors.items()}
            found.append(drives(result.networks[k]).assign(kind=kind, seed=seed, **numbers))
            if kind == "NCP":
                without.append(silenced(result.networks[k]).assign(seed=seed))
    order = ["kind", "seed", "validation_error", "test_error", "noise", "kept", "metres", "off_middle"]
    for table, columns, file in (
        (found, order, "driving_null_19.csv"),
        (without, ["seed", "silent", "influence", "metres", "off_middle"], "silenced_19.csv"),
    ):
        pd.concat(table)[columns].round(6).to_csv(HERE / file, index=False, lineterminator="\n")
    tables.write_checksums(HERE)


if __name__ == "__main__":
    main()

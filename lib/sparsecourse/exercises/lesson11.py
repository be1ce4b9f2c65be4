"""Exercises of lesson 11, the capstone."""

import functools

import numpy as np

from sparsecourse import circuits, driving, training
from sparsecourse.exercises.checking import Exercise, Mistake


def _count(inputs, inter, command, motor, fanout, inter_fanout, recurrent, motor_fanin):
    return inputs * fanout + inter * inter_fanout + recurrent + motor * motor_fanin


def _sparsity(*sizes, entries=lambda inputs, neurons: neurons * (inputs + neurons)):
    inputs, inter, command, motor, *_ = sizes
    return 1 - _count(*sizes) / entries(inputs, inter + command + motor)


_CIRCUITS = ((2, 2, 1, 1, 1, 1, 0, 1), (4, 3, 2, 1, 2, 1, 2, 2), (32, 12, 6, 1, 6, 4, 7, 6), (20, 15, 9, 4, 3, 5, 8, 4))


def _shape_of_a_policy(inputs, inter, command, motor, blocks=((1, 0), (2, 1), (2, 2), (3, 2))):
    """Mask of all connections that a policy may have: ``blocks`` says which column of units hears which."""
    edges = np.cumsum([0, inputs, inter, command, motor])
    S = np.zeros((inter + command + motor, edges[-1]), dtype=int)
    for to, source in blocks:
        rows = slice(edges[to] - inputs, edges[to + 1] - inputs)
        S[rows, edges[source] : edges[source + 1]] = 1
    return S


def _without_the_inputs_columns(inputs, inter, command, motor):
    last = inter + command
    S = np.zeros((last + motor, inputs + last + motor), dtype=int)
    S[:inter, :inputs] = S[inter:last, :last] = S[last:, inter:last] = 1
    return S


def _without_self(S, inputs):
    S = S.copy()
    S[np.arange(len(S)), inputs + np.arange(len(S))] = 0
    return S


def _leaks(J, S):
    return float(np.mean(J[S == 0] != 0))


def _jacobian(S, leaking, seed):
    """A Jacobian that follows the mask but for some of the forbidden entries."""
    rng = np.random.default_rng(seed)
    J = rng.normal(size=S.shape) * S
    forbidden = np.argwhere(S == 0)
    for i, j in forbidden[rng.choice(len(forbidden), size=leaking, replace=False)]:
        J[i, j] = rng.normal() * 1e-3
    return J


_MASKS = tuple(_shape_of_a_policy(*sizes) for sizes in ((1, 1, 1, 1), (3, 2, 2, 1), (8, 5, 3, 1)))


def _influence(W, S, inputs):
    """Sum over the paths of one and two synapses to the motor neuron, the last one, of the products of magnitudes."""
    direct = _direct(W, S, inputs)
    return direct + direct @ np.abs(W * S)[:, inputs:]


def _direct(W, S, inputs):
    """Strength of the synapses by which the motor neuron hears the others."""
    direct = np.abs(W * S)[-1, inputs:].copy()
    direct[-1] = 0
    return direct


def _direct_of(A):
    """The last row of a matrix, without its own place."""
    return np.append(A[-1, :-1], 0)


def _without_loops(W, S, inputs):
    A = np.abs(W * S)[:, inputs:]
    np.fill_diagonal(A, 0)
    return A[-1] + A[-1] @ A


def _influence_case(sizes, seed):
    S = _shape_of_a_policy(*sizes)
    W = np.random.default_rng(seed).normal(size=S.shape).round(2)
    return W, S, sizes[0]


# --------------------------------------------------------------- 11.5, a question with many right answers: a wiring

SHAPE = (circuits.NEURONS, driving.PIXELS + circuits.NEURONS)
MOST = 12  # synapses
SEEDS, STEPS, ROADS = range(3), 300, range(2000, 2032)
ENOUGH = 0.9  # of the roads


@functools.lru_cache(maxsize=8)
def _kept(content):
    S = np.frombuffer(content, dtype=int).reshape(SHAPE)
    networks = [circuits.Circuit(S, seed) for seed in SEEDS]
    result = training.train(networks, driving.lane_keeping(), steps=STEPS, batch=32, learning_rate=1e-2)
    return [driving.drive(network, ROADS).kept.float().mean().item() for network in result.networks]


def kept(S):
    """Train three circuits with a mask and let them drive on 32 roads: the part of the roads that each of them keeps.

    Args:
        S: mask, (19, 51).
    """
    return _kept(np.ascontiguousarray(S, dtype=int).tobytes())


def _judge_wiring(S):
    """What is wrong with a wiring that should drive with few synapses, or None."""
    S = np.asarray(S)
    if S.shape != SHAPE:
        return (
            f"has shape {S.shape}, expected {SHAPE}: a row a neuron, 32 columns for the pixels and 19 for the neurons."
        )
    if not np.isin(S, (0, 1)).all():
        return "holds other numbers than 0 and 1."
    if S.sum() > MOST:
        return f"has {int(S.sum())} synapses. At most {MOST} are asked for."
    if not _hears(S):
        return "drives blindly: no path leads from a pixel to the motor neuron, which is the last row."
    parts = kept(S)
    if np.mean(parts) < ENOUGH:
        found = ", ".join(f"{part:.0%}" for part in parts)
        return f"was trained three times and kept its lane on {found} of 32 roads. Get to 90 % on average."
    return None


def _hears(S):
    """Does a path lead from a pixel to the last neuron?"""
    reached = S[:, : driving.PIXELS].any(axis=1)
    for _ in range(len(S)):
        reached = reached | (S[:, driving.PIXELS :] @ reached > 0)
    return bool(reached[-1])


def _every_fourth_pixel():
    S = np.zeros(SHAPE, dtype=int)
    S[-1, 2 : driving.PIXELS : 4] = 1
    return S


def _a_single_pixel():
    S = np.zeros(SHAPE, dtype=int)
    S[-1, 0] = 1
    return S


def _blind():
    S = np.zeros(SHAPE, dtype=int)
    S[0, : driving.PIXELS // 4] = 1
    return S


def _praise(S):
    return f"{int(np.sum(S))} synapses keep the lane on {np.mean(kept(S)):.0%} of the roads. Can you do with fewer?"


EXERCISES = [
    Exercise(
        number="11.1",
        answer="circuit_sparsity",
        reference=_sparsity,
        cases=_CIRCUITS,
        mistakes=(
            Mistake(
                lambda *sizes: 1 - _sparsity(*sizes),
                "That is the density, the part of the possible synapses that is there.",
            ),
            Mistake(
                lambda *sizes: _sparsity(*sizes, entries=lambda inputs, neurons: neurons**2),
                "A neuron may also hear the inputs: there are neurons × (inputs + neurons) places.",
            ),
            Mistake(
                lambda *sizes: _sparsity(*sizes, entries=lambda inputs, neurons: (inputs + neurons) ** 2),
                "Inputs hear nothing, so they have no rows: there are neurons × (inputs + neurons) places.",
            ),
            Mistake(
                lambda *sizes: _sparsity(*sizes[:6], 0, sizes[7]),
                "The recurrent synapses among the command neurons are missing.",
            ),
            Mistake(lambda *sizes: 100 * _sparsity(*sizes), "That is in per cent. Give a number between 0 and 1."),
            Mistake(lambda *sizes: float(_count(*sizes)), "That is how many synapses there are. What part is cut?"),
            Mistake(
                lambda *sizes: _sparsity(*sizes[:6], sizes[2] * sizes[6], sizes[7]),
                "`recurrent` is the number of all synapses among the command neurons.",
            ),
            Mistake(
                lambda *sizes: _sparsity(*sizes, entries=lambda inputs, neurons: neurons * (inputs + neurons - 1)),
                "A neuron may hear itself: its own place counts.",
            ),
            Mistake(
                lambda inputs, inter, command, motor, fanout, inter_fanout, recurrent, motor_fanin: _sparsity(
                    inputs,
                    inter,
                    command,
                    motor,
                    fanout * inter / inputs,
                    inter_fanout * command / inter,
                    recurrent,
                    motor_fanin,
                ),
                "A fan-out belongs to those that speak: multiply it by their number.",
            ),
        ),
    ),
    Exercise(
        number="11.2",
        answer="policy_shape",
        reference=_shape_of_a_policy,
        cases=((1, 1, 1, 1), (3, 2, 2, 1), (32, 12, 6, 1), (5, 4, 3, 2)),
        mistakes=(
            Mistake(
                lambda *sizes: _shape_of_a_policy(*sizes, blocks=((1, 0), (2, 1), (3, 2))),
                "The command neurons also hear each other, and themselves.",
            ),
            Mistake(
                lambda *sizes: _shape_of_a_policy(*sizes, blocks=((1, 0), (1, 1), (2, 1), (2, 2), (3, 2))),
                "The inter neurons hear the inputs only, not each other.",
            ),
            Mistake(
                lambda *sizes: _shape_of_a_policy(*sizes, blocks=((1, 0), (2, 1), (2, 2), (3, 2), (3, 3))),
                "The motor neurons hear the command neurons only, not each other.",
            ),
            Mistake(
                lambda *sizes: _shape_of_a_policy(*sizes, blocks=((1, 0), (2, 0), (2, 1), (2, 2), (3, 2))),
                "The command neurons do not see the inputs.",
            ),
            Mistake(
                lambda *sizes: _without_self(_shape_of_a_policy(*sizes), sizes[0]),
                "A command neuron may hear itself, too.",
            ),
            Mistake(
                lambda *sizes: _shape_of_a_policy(*sizes).T,
                "Rows and columns are swapped: a row is a neuron that hears, a column what it hears.",
            ),
            Mistake(
                lambda *sizes: _shape_of_a_policy(*sizes)[:, sizes[0] :],
                "The columns of the inputs are missing: they come before those of the neurons.",
            ),
            Mistake(
                lambda *sizes: _shape_of_a_policy(*sizes, blocks=((1, 0), (2, 1), (2, 2), (3, 1), (3, 2))),
                "The motor neurons hear the command neurons only, not the inter neurons.",
            ),
            Mistake(
                _without_the_inputs_columns,
                "The columns of the neurons begin after those of the inputs: add `inputs` to each.",
            ),
        ),
    ),
    Exercise(
        number="11.3",
        answer="leaks",
        reference=_leaks,
        cases=(
            (np.array([[0.5, 0.0], [0.0, -0.1]]), np.array([[1, 0], [0, 1]])),
            (np.array([[0.5, 1e-12], [0.0, -0.1]]), np.array([[1, 0], [0, 1]])),
            *(
                (_jacobian(S, leaking, seed=k), S)
                for k, (S, leaking) in enumerate(zip(_MASKS, (2, 5, 31), strict=True))
            ),
        ),
        mistakes=(
            Mistake(
                lambda J, S: float(np.mean((J != 0) & (S == 0))),
                "That is a part of all entries. Of those that the mask forbids, which part?",
            ),
            Mistake(
                lambda J, S: float(np.mean(J[S == 1] != 0)),
                "Those are the entries that the mask allows. A leak is where it forbids.",
            ),
            Mistake(
                lambda J, S: float(np.mean(J[S == 0] > 0)),
                "A negative entry leaks as well as a positive one.",
            ),
            Mistake(
                lambda J, S: float(np.mean(np.abs(J[S == 0]) > 1e-6)),
                "A very small leak is a leak, too: compare with 0.",
            ),
            Mistake(
                lambda J, S: float(np.mean(np.abs(J[S == 0]) > 0.01)),
                "A small leak is a leak: behind a mask an entry is exactly zero.",
            ),
            Mistake(
                lambda J, S: float(np.sum(J[S == 0] != 0)), "That is how many leak. Which part of the forbidden ones?"
            ),
            Mistake(
                lambda J, S: float((J[S == 0] != 0).sum() / max((J != 0).sum(), 1)),
                "You divided by the entries that are not zero. Divide by those that the mask forbids.",
            ),
            Mistake(
                lambda J, S: float(np.abs(J[S == 0]).mean()),
                "That is how large the leaks are. Which part of the forbidden entries leaks?",
            ),
            Mistake(
                lambda J, S: float(np.mean(J[1 - S] != 0)),
                "`J[1 - S]` takes rows by their numbers. Ask for entries by a condition: `J[S == 0]`.",
            ),
            Mistake(
                lambda J, S: float(np.mean(np.abs(J[S == 0]) > 1e-3)),
                "However small, a leak is a leak: compare with 0, without a tolerance.",
            ),
        ),
    ),
    Exercise(
        number="11.4",
        answer="influence",
        reference=_influence,
        cases=(
            _influence_case((1, 1, 1, 1), seed=1),
            _influence_case((3, 2, 2, 1), seed=2),
            _influence_case((8, 5, 3, 1), seed=3),
            (np.arange(1.0, 16).reshape(3, 5), np.ones((3, 5), dtype=int), 2),  # the motor neuron speaks, too
        ),
        mistakes=(
            Mistake(
                lambda W, S, inputs: np.append(np.abs(W * S)[-1, inputs:-1], 0),
                "Those are the paths of one synapse. The inter neurons reach the motor neuron by two.",
            ),
            Mistake(
                lambda W, S, inputs: (lambda A: (A + A @ A)[-1])(np.abs(W * S)[:, inputs:]),
                "The motor neuron may not be a station on the way: leave out what it says to itself and to others.",
            ),
            Mistake(
                lambda W, S, inputs: (lambda A, d: d + A @ d)(np.abs(W * S)[:, inputs:], _direct(W, S, inputs)),
                "Rows hear and columns speak: the paths of two synapses are `direct @ A`, not `A @ direct`.",
            ),
            Mistake(
                lambda W, S, inputs: _direct(W, S, inputs) @ np.abs(W * S)[:, inputs:],
                "Those are the paths of two synapses. The command neurons also reach the motor neuron by one.",
            ),
            Mistake(
                lambda W, S, inputs: _influence(np.abs(W), np.ones_like(S), inputs),
                "What lies behind the mask does not count: take W ⊙ S.",
            ),
            Mistake(
                lambda W, S, inputs: np.append((W * S)[-1, inputs:-1], 0) @ (np.eye(len(W)) + (W * S)[:, inputs:]),
                "Signed paths cancel. Take magnitudes first: either sign steers.",
            ),
            Mistake(
                lambda W, S, inputs: _influence(W, S, 0)[: len(W)] if W.shape[1] > len(W) else 0,
                "The first columns belong to the inputs. Cut them off, so that the matrix is neurons by neurons.",
            ),
            Mistake(
                lambda W, S, inputs: np.abs(_direct_of((W * S)[:, inputs:]) @ (np.eye(len(W)) + (W * S)[:, inputs:])),
                "Signed paths cancel when they are added. Take magnitudes before.",
            ),
            Mistake(
                lambda W, S, inputs: (lambda A: _direct_of(A) @ np.linalg.inv(np.eye(len(A)) - A))(
                    np.abs(W * S)[:, inputs:]
                ),
                "That adds up paths of every length. Asked for are those of one and two synapses.",
            ),
            Mistake(
                lambda W, S, inputs: (lambda A: np.maximum(_direct_of(A), (_direct_of(A)[:, None] * A).max(axis=0)))(
                    np.abs(W * S)[:, inputs:]
                ),
                "That is the strongest path. Add up all of them.",
            ),
            Mistake(
                _without_loops,
                "A command neuron's synapse with itself may be a step of a path. Only the motor neuron's may not.",
            ),
        ),
    ),
    Exercise(
        number="11.5",
        answer="wiring",
        reference=_every_fourth_pixel(),
        accept=_judge_wiring,
        trains=True,
        praise=_praise,
        mistakes=(
            Mistake(circuits.wiring("NCP", 0), "has 253 synapses. At most 12 are asked for."),
            Mistake(_blind(), "drives blindly: no path leads from a pixel to the motor neuron, which is the last row."),
            Mistake(_a_single_pixel(), "Get to 90 % on average."),
        ),
    ),
]

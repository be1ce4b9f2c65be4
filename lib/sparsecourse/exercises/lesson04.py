"""Exercises of lesson 04: the worm."""

import networkx as nx
import numpy as np

from sparsecourse import connectome
from sparsecourse.exercises.checking import Exercise, Mistake


def _wiring(n, connections, seed):
    """A weighted adjacency matrix of n neurons: synapse counts from 1 to 6 at a number of places."""
    rng = np.random.default_rng(seed)
    A = np.zeros((n, n), dtype=int)
    A.ravel()[rng.choice(n * n, size=connections, replace=False)] = rng.integers(1, 7, size=connections)
    return A


TINY = np.array([[0, 2], [0, 0]])  # two neurons, one connection of two synapses


def _directed(chemical, gap):
    """Distinct ordered pairs when a gap junction counts in both directions."""
    return set(chemical) | {(a, b) for a, b in gap} | {(b, a) for a, b in gap}


def _union_count(chemical, gap):
    pairs = set(chemical)
    for a, b in gap:
        pairs.add((a, b))
        pairs.add((b, a))
    return len(pairs)


CHEMICAL = [("a", "b"), ("b", "c"), ("c", "a"), ("a", "d")]
GAP = [("a", "b"), ("c", "d"), ("d", "d")]


# --------------------------------------------------------------------- 4.5, a question with more than one right answer


def pharynx():
    """Names of the pharynx's 20 neurons."""
    neurons = connectome.neurons()
    return set(neurons.index[neurons["type"] == "pharyngeal"])


def bridges(removed=()):
    """Connections of the worm, chemical or gap, that join the pharynx to the rest once some neurons are removed."""
    inside = pharynx()
    graph = nx.Graph(connectome.load("cook2019").graph("union"))
    graph.remove_nodes_from(removed)
    return sorted(tuple(sorted(edge)) for edge in graph.edges if (edge[0] in inside) != (edge[1] in inside))


def _judge_removal(names):
    """What is wrong with a set of neurons whose removal should cut the pharynx off, or None."""
    names = {names} if isinstance(names, str) else set(names)
    known = connectome.neurons().index
    for name in sorted(names, key=str):
        if name not in known:
            return f"has a name that is not a neuron: {connectome.suggest(name, known, 'neuron')}"
    if left := bridges(names):
        return f"leaves {len(left)} of the links: {', '.join('–'.join(pair) for pair in left)}."
    if len(names) > 2:
        return f"does cut the pharynx off, with {len(names)} neurons. Fewer will do."
    return None


def _praise(names):
    return f"Without {' and '.join(sorted(names))} the pharynx and the rest of the worm are two separate circuits."


EXERCISES = [
    Exercise(
        number="4.1",
        answer="wiring_sparsity",
        reference=lambda A: 1 - (A > 0).mean(),
        cases=(
            (TINY,),
            (_wiring(3, 4, seed=1),),
            (_wiring(5, 7, seed=2),),
            (_wiring(30, 40, seed=3),),
        ),
        mistakes=(
            Mistake(
                lambda A: 1 - A.sum() / A.size,
                "You counted synapses. A mask has one entry for a connected pair, however many synapses join it.",
            ),
            Mistake(
                lambda A: 1 - np.count_nonzero(A) / len(A),
                "You divided by the number of neurons. There is one possible connection for each ordered pair: N².",
            ),
            Mistake(
                lambda A: 1 - np.count_nonzero(A > 1) / A.size,
                "Pairs with a single synapse are missing: one synapse is a connection, so compare with 0.",
            ),
            Mistake(
                lambda A: A.size - np.count_nonzero(A),
                "That is a number of pairs. Divide by the number of all pairs.",
            ),
            Mistake(
                lambda A: np.count_nonzero(A) / A.size,
                "That is the density, the fraction of pairs that are connected.",
            ),
            Mistake(
                lambda A: 1 - np.count_nonzero(A) / (len(A) * (len(A) - 1) / 2),
                "You divided by unordered pairs. From a to b and from b to a are two possible connections.",
            ),
            Mistake(
                lambda A: 1 - np.count_nonzero(A) / (len(A) * (len(A) - 1)),
                "You left out the diagonal. That is a fair choice, but here a neuron may connect to itself: N².",
            ),
            Mistake(
                lambda A: np.mean((A == 0) & (A.T == 0)),
                "From a to b and from b to a are two possible connections. One may be there without the other.",
            ),
            Mistake(
                lambda A: 1 - np.count_nonzero(A) / 302**2,
                "That divides by the pairs of the whole worm. A has its own: `A.size`.",
            ),
            Mistake(
                lambda A: 1 - (A / A.max()).mean(),
                "That weighs the connections by their synapses. A connection is there or not.",
            ),
            Mistake(
                lambda A: 1 - np.mean(A == 1), "A pair joined by several synapses is connected, too: compare with 0."
            ),
        ),
    ),
    Exercise(
        number="4.2",
        answer="union_count",
        reference=_union_count,
        cases=(
            ([("a", "b")], [("b", "c")]),
            ([("a", "b"), ("a", "b")], [("c", "d")]),
            (CHEMICAL[:2], GAP[:1]),
            (CHEMICAL, GAP),
            ([*CHEMICAL, ("b", "a"), ("d", "c")], [*GAP, ("a", "c"), ("b", "b")]),
        ),
        mistakes=(
            Mistake(
                lambda chemical, gap: len(set(chemical) | set(gap)),
                "Each gap junction counts once here. It conducts both ways: a to b and b to a.",
            ),
            Mistake(
                lambda chemical, gap: len(chemical) + 2 * len(gap),
                "Some connections were counted twice: a pair may be joined in both ways, and a gap junction of a "
                "neuron with itself is one connection. Collect the ordered pairs in a set.",
            ),
            Mistake(
                lambda chemical, gap: len(chemical) + len(gap),
                "You added the two lengths. A gap junction conducts both ways, and a pair may be in both lists.",
            ),
            Mistake(
                lambda chemical, gap: len(set(chemical) & _directed([], gap)),
                "That counts the pairs that are in both lists. A union has everything that is in either.",
            ),
            Mistake(
                lambda chemical, gap: len(set(chemical) | {p for a, b in gap if a != b for p in ((a, b), (b, a))}),
                "A gap junction of a neuron with itself is a connection, too.",
            ),
            Mistake(
                lambda chemical, gap: (
                    len(set(chemical)) + sum(((a, b) not in chemical) + ((b, a) not in chemical) for a, b in gap)
                ),
                "A gap junction of a neuron with itself is one connection, not two.",
            ),
            Mistake(
                lambda chemical, gap: len(chemical) + len(_directed([], gap) - set(chemical)),
                "A pair that is listed twice is one connection. Collect the pairs in a set.",
            ),
            Mistake(
                lambda chemical, gap: len(set(chemical)) + 2 * len(set(gap) - set(chemical)),
                "Where one direction has a chemical synapse, the other direction of the gap junction still counts.",
            ),
            Mistake(lambda chemical, gap: _directed(chemical, gap), "Those are the pairs. How many are there?"),
        ),
    ),
    Exercise(
        number="4.3",
        answer="in_degree",
        reference=lambda A: (A > 0).sum(axis=1),
        cases=((TINY,), (_wiring(3, 4, seed=4),), (_wiring(4, 7, seed=5),), (_wiring(20, 50, seed=6),)),
        mistakes=(
            Mistake(
                lambda A: np.count_nonzero(A, axis=0),
                "Those are out-degrees. A[i, j] comes from j and goes to i, so what neuron i hears stands in row i.",
            ),
            Mistake(
                lambda A: A.sum(axis=1),
                "You added up synapses. The degree counts partners, each once.",
            ),
            Mistake(
                lambda A: A.sum(axis=0),
                "Two things: you added up synapses where partners count, and columns where rows do.",
            ),
            Mistake(
                lambda A: np.mean(A > 0, axis=1),
                "That is the fraction of neurons heard. The degree is a number: sum instead of taking the mean.",
            ),
            Mistake(
                lambda A: np.count_nonzero(A),
                "That is one sum over the whole matrix. Sum along one axis, to get a number for each neuron.",
            ),
            Mistake(
                lambda A: np.count_nonzero(A, axis=0) + np.count_nonzero(A, axis=1),
                "You counted both directions. The in-degree counts only those that a neuron hears.",
            ),
            Mistake(
                lambda A: np.sort(np.count_nonzero(A, axis=1))[::-1],
                "The numbers are right, but sorted: now nobody knows whose they are.",
            ),
            Mistake(
                lambda A: np.bincount(np.nonzero(A)[0]),
                "Neurons at the end that hear nobody have no number: `minlength=len(A)`.",
            ),
            Mistake(
                lambda A: np.count_nonzero(A + A.T, axis=1),
                "That counts partners in either direction. In-degree counts those that a neuron hears.",
            ),
        ),
    ),
    Exercise(
        number="4.4",
        answer="strong_mask",
        reference=lambda A, least: (A >= least).astype(int),
        cases=(
            (TINY, 2),
            (np.array([[0.0, 2.25], [2.5, 1.75]]), 2.5),
            (_wiring(3, 5, seed=7), 3),
            (_wiring(4, 9, seed=8), 4),
            (_wiring(12, 60, seed=9), 5),
        ),
        mistakes=(
            Mistake(
                lambda A, least: (A > least).astype(int),
                '"At least" includes the threshold itself: use >=.',
            ),
            Mistake(
                lambda A, least: A * (A >= least),
                "That keeps the synapse counts. A mask holds only 0 and 1.",
            ),
            Mistake(
                lambda A, least: (A < least).astype(int),
                "That marks the connections to cut. In a mask, 1 keeps.",
            ),
            Mistake(
                lambda A, least: ((A <= least) & (A > 0)).astype(int),
                "That keeps the weak ones. Turn the comparison round.",
            ),
            Mistake(lambda A, least: (A > 0).astype(int), "That keeps every connection. `least` is not used."),
            Mistake(lambda A, least: (A >= round(least)).astype(int), "Do not round the threshold."),
            Mistake(
                lambda A, least: np.clip(A - least + 1, 0, 1),
                "A mask holds 0 and 1 alone: between them there is nothing.",
            ),
        ),
    ),
    Exercise(
        number="4.5",
        answer="removed",
        reference={"RIPL", "RIPR"},
        accept=_judge_removal,
        praise=_praise,
        mistakes=(
            Mistake({"RIPL"}, "leaves 1 of the links: I1R–RIPR."),
            Mistake({"I1L", "I1R"}, "leaves 1 of the links: M1–RIPL."),
            Mistake({"M1", "I1L", "I1R"}, "does cut the pharynx off, with 3 neurons. Fewer will do."),
            Mistake({"RIPl", "RIPR"}, "unknown neuron 'RIPl'; did you mean RIPL?"),
        ),
    ),
]

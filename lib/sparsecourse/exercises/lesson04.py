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
    return f"Without {' and '.join(sorted(names))} the pharynx and the rest of the worm are two unrelated circuits."


EXERCISES = [
    Exercise(
        number="4.1",
        answer="wiring_sparsity",
        reference=lambda A: 1 - np.count_nonzero(A) / A.size,
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
        ),
    ),
    Exercise(
        number="4.2",
        answer="union_count",
        reference=lambda chemical, gap: len(_directed(chemical, gap)),
        cases=(
            ([("a", "b")], [("b", "c")]),
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
        ),
    ),
    Exercise(
        number="4.3",
        answer="in_degree",
        reference=lambda A: np.count_nonzero(A, axis=1),
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
        ),
    ),
    Exercise(
        number="4.4",
        answer="strong_mask",
        reference=lambda A, least: (A >= least).astype(int),
        cases=((TINY, 2), (_wiring(3, 5, seed=7), 3), (_wiring(4, 9, seed=8), 4), (_wiring(12, 60, seed=9), 5)),
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

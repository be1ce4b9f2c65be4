"""The wiring of the worm C. elegans, from published tables: data frames, adjacency matrices, networkx graphs.

A *connection* joins an ordered pair of neurons, however many synapses it is made of. Chemical connections have a
direction; gap junctions have none, so in a matrix they stand in both directions. Matrices follow the course's
convention for weights, ``A[i, j]`` from neuron j to neuron i.

Sources, licences and the build script: ``data/celegans/README.md``.
"""

import difflib
import functools
from dataclasses import dataclass

import networkx as nx
import numpy as np
import pandas as pd

from sparsecourse import tables
from sparsecourse.tables import DamagedDataError

TYPES = ("sensory", "inter", "motor", "pharyngeal", "unknown")
KINDS = ("chemical", "gap", "union")


@dataclass(frozen=True)
class Source:
    """What a dataset's tables, ``KEY_chemical`` (pre, post, weight, ...) and ``KEY_gap`` (a, b, weight), hold.

    KEY is that of ``DATASETS``, but for a number at its end: the "3" of "witvliet2021_3" stands in a column ``stage``.

    Attributes:
        unit: what the weight of a chemical connection counts.
        gap_unit: what the weight of a gap junction counts, or None where there is no table of them.
        whole: True if all 302 neurons were looked at; else the neurons are those that have a connection.
    """

    unit: str
    gap_unit: str | None
    whole: bool = False


DATASETS = {
    "varshney2011": Source("synapses", "junctions"),
    "cook2019": Source("sections", "sections", whole=True),
    "fenyves2020": Source("sections", None, whole=True),
    **{f"witvliet2021_{stage}": Source("synapses", "junctions") for stage in range(1, 9)},
}


@functools.cache
def _cached_table(name):
    return tables.read("celegans", name, keep_default_na=False)  # an empty cell is the empty string


def neurons():
    """All 302 neurons, sorted by type and name.

    Returns:
        A data frame with the index ``name`` and the columns class, type, side ("L", "R" or ""), nt (main
        transmitter), and x_um, y_um, z_um: the soma in micrometres (left +, tail +, dorsal +).
    """
    table = _cached_table("neurons").copy()
    table["type"] = pd.Categorical(table["type"], TYPES, ordered=True)
    return table.sort_values(["type", "name"]).set_index("name")


def suggest(name, known, what):
    """Sentence for an unknown name that offers the nearest known ones: "unknown neuron 'AVAl'; did you mean AVAL?"

    Args:
        name: the unknown name.
        known: the names to choose from.
        what: what the names stand for, for example "neuron".
    """
    by_folded = {known_name.casefold(): known_name for known_name in known}
    folded = str(name).casefold()
    near = [folded] if folded in by_folded else difflib.get_close_matches(folded, by_folded, n=3, cutoff=0.6)
    if near:
        offer = f"did you mean {' or '.join(by_folded[n] for n in near)}?"
    else:
        known = list(known)
        more = f" and {len(known) - 12} more" if len(known) > 12 else ""
        offer = f"known are {', '.join(known[:12])}{more}"
    return f"unknown {what} {name!r}; {offer}"


@dataclass(frozen=True, eq=False)
class Connectome:
    """One reconstruction of the worm's wiring.

    Attributes:
        name: key in ``DATASETS``.
        neurons: data frame of the neurons that were reconstructed, in the order of every matrix.
        chemical: data frame pre, post, weight (and nt, sign where predicted); one row a connected ordered pair.
        gap: data frame a, b, weight; one row a joined unordered pair.
        units: what a weight counts, by kind of connection, for example {"chemical": "synapses", ...}.
    """

    name: str
    neurons: pd.DataFrame
    chemical: pd.DataFrame
    gap: pd.DataFrame
    units: dict

    def __repr__(self):
        return (
            f"Connectome {self.name}: {len(self.neurons)} neurons, {len(self.chemical):,} chemical connections, "
            f"{len(self.gap):,} gap-junction pairs, chemical weights in {self.units['chemical']}"
        )

    def edges(self, kind="chemical"):
        """Directed connections as a data frame pre, post, weight.

        Args:
            kind: "chemical"; "gap", each pair in both directions; or "union", chemical and gap weights added up.
        """
        if kind not in KINDS:
            raise ValueError(suggest(kind, KINDS, "kind of connection"))
        forth = self.gap.rename(columns={"a": "pre", "b": "post"})
        back = self.gap[self.gap["a"] != self.gap["b"]].rename(columns={"b": "pre", "a": "post"})
        parts = {"chemical": [self.chemical], "gap": [forth, back], "union": [self.chemical, forth, back]}[kind]
        return pd.concat(parts).groupby(["pre", "post"], as_index=False)["weight"].sum()

    def index(self, name):
        """Row and column of a neuron in this connectome's matrices; a ValueError if it is not here."""
        if name not in self.neurons.index:
            raise ValueError(suggest(name, self.neurons.index, "neuron"))
        return self.neurons.index.get_loc(name)

    def group(self, chosen):
        """Names of a group of neurons.

        Args:
            chosen: a type of neuron, for example "sensory", or a list of names.

        Raises:
            ValueError: no such type or neuron here, none of that type, or no name at all.
        """
        if not isinstance(chosen, str):
            names = list(chosen)
            for name in names:
                self.index(name)
            if not names:
                raise ValueError("a group has at least one neuron, got none")
            return names
        if chosen not in TYPES:
            raise ValueError(suggest(chosen, TYPES, "type of neuron"))
        names = self.neurons.index[self.neurons["type"] == chosen].tolist()
        if not names:
            raise ValueError(f"{self.name} has no neurons of the type {chosen!r}")
        return names

    def adjacency(self, kind="chemical", weighted=False):
        """Adjacency matrix of integers, (neurons, neurons): entry [i, j] is the connection from neuron j to neuron i.

        Args:
            kind: as for :meth:`edges`.
            weighted: weights instead of 0 and 1.
        """
        edges = self.edges(kind)
        A = np.zeros((len(self.neurons), len(self.neurons)), dtype=int)
        post, pre = (self.neurons.index.get_indexer(edges[end]) for end in ("post", "pre"))
        A[post, pre] = edges["weight"] if weighted else 1
        return A

    def graph(self, kind="chemical"):
        """The connections as a ``networkx.DiGraph`` with node attributes type, y_um and z_um, edge attribute weight."""
        graph = nx.DiGraph(name=f"{self.name}, {kind}")
        for neuron in self.neurons.itertuples():
            graph.add_node(neuron.Index, type=neuron.type, y_um=neuron.y_um, z_um=neuron.z_um)
        graph.add_weighted_edges_from(self.edges(kind).itertuples(index=False))
        return graph


def load(name):
    """Load a reconstruction of the worm's nervous system, a :class:`Connectome`.

    Args:
        name: "varshney2011", 279 neurons of the adult outside the pharynx (Varshney et al. 2011); "cook2019", all 302
            neurons of the adult hermaphrodite (Cook et al. 2019); "fenyves2020", predicted signs of the adult's
            chemical connections (Fenyves et al. 2020); or "witvliet2021_1" (birth) to "witvliet2021_8" (adult; so is
            7), the brain at eight ages (Witvliet et al. 2021).

    Raises:
        ValueError: no such dataset; the message offers the nearest names.
        DamagedDataError: a table is missing or was changed.
    """
    if name not in DATASETS:
        raise ValueError(suggest(name, DATASETS, "dataset"))
    source = DATASETS[name]
    paper, _, stage = name.partition("_")
    chemical = _connections(f"{paper}_chemical", stage)
    if source.gap_unit is None:
        gap = pd.DataFrame({"a": pd.Series(dtype=str), "b": pd.Series(dtype=str), "weight": pd.Series(dtype=int)})
    else:
        gap = _connections(f"{paper}_gap", stage)
    cells = neurons()
    if not source.whole:
        cells = cells[cells.index.isin({*chemical["pre"], *chemical["post"], *gap["a"], *gap["b"]})]
    gap_unit = source.gap_unit or source.unit
    both = source.unit if gap_unit == source.unit else f"{source.unit} and {gap_unit}"
    return Connectome(name, cells, chemical, gap, {"chemical": source.unit, "gap": gap_unit, "union": both})


def _connections(table, stage):
    """A table's connections, of one stage if it has several, with the weight column named ``weight``.

    Raises:
        DamagedDataError: an end is not one of the 302 neurons, a pair stands there twice, or a weight is not a positive
            whole number. A matrix made of such a table would be wrong without a word.
    """
    frame = _cached_table(table)
    if stage:
        frame = frame[frame["stage"] == int(stage)].drop(columns="stage")
    a, b, weight = frame.columns[:3]
    known = neurons().index
    for end in (a, b):
        strangers = frame.loc[~frame[end].isin(known), end]
        if len(strangers):
            raise DamagedDataError(f"{table}.csv: {suggest(strangers.iloc[0], known, 'neuron')}")
    twice = frame.duplicated([a, b])
    if twice.any():
        raise DamagedDataError(f"{table}.csv: {' to '.join(frame.loc[twice, [a, b]].iloc[0])} stands there twice")
    if not pd.api.types.is_integer_dtype(frame[weight]) or (frame[weight] < 1).any():
        raise DamagedDataError(f"{table}.csv: the third column, {weight!r}, must hold positive whole numbers")
    return frame.rename(columns={weight: "weight"}).reset_index(drop=True)

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
    """Where a dataset's connections are: tables of the data folder, each (pre, post, weight, ...) or (a, b, weight).

    Attributes:
        about: one line that says what it is.
        unit: what the weight of a chemical connection counts.
        chemical: table of chemical connections.
        gap: table of gap junctions, or None where the dataset has none.
        gap_unit: what the weight of a gap junction counts.
        stage: rows to take from tables that have a column ``stage``.
        whole: True if all 302 neurons were looked at; else the neurons are those that have a connection.
    """

    about: str
    unit: str
    chemical: str
    gap: str | None = None
    gap_unit: str = ""
    stage: int | None = None
    whole: bool = False


DATASETS = {
    "varshney2011": Source(
        "279 neurons of the adult outside the pharynx (Varshney et al. 2011)",
        unit="synapses",
        chemical="varshney2011_chemical",
        gap="varshney2011_gap",
        gap_unit="junctions",
    ),
    "cook2019": Source(
        "all 302 neurons of the adult hermaphrodite (Cook et al. 2019)",
        unit="sections",
        chemical="cook2019_chemical",
        gap="cook2019_gap",
        gap_unit="sections",
        whole=True,
    ),
    "fenyves2020": Source(
        "predicted signs of the adult's chemical connections (Fenyves et al. 2020)",
        unit="sections",
        chemical="fenyves2020_chemical",
        whole=True,
    ),
    **{
        f"witvliet2021_{stage}": Source(
            f"the brain at age {stage} of 8, from birth (1) to adult (7 and 8) (Witvliet et al. 2021)",
            unit="synapses",
            chemical="witvliet2021_chemical",
            gap="witvliet2021_gap",
            gap_unit="junctions",
            stage=stage,
        )
        for stage in range(1, 9)
    },
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
    """Sentence for an unknown name that offers the nearest known ones.

    Args:
        name: the unknown name.
        known: the names to choose from.
        what: what the names stand for, for example "neuron".

    Returns:
        For example ``"unknown neuron 'AVAl'; did you mean AVAL?"``.
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
        """Row and column of a neuron in this connectome's matrices.

        Raises:
            ValueError: no such neuron here.
        """
        if name not in self.neurons.index:
            raise ValueError(suggest(name, self.neurons.index, "neuron"))
        return self.neurons.index.get_loc(name)

    def group(self, chosen):
        """Names of a group of neurons.

        Args:
            chosen: a type of neuron, for example "sensory", or a list of names.

        Raises:
            ValueError: no such type or neuron here, or none of that type.
        """
        if not isinstance(chosen, str):
            for name in chosen:
                self.index(name)
            return list(chosen)
        if chosen not in TYPES:
            raise ValueError(suggest(chosen, TYPES, "type of neuron"))
        names = self.neurons.index[self.neurons["type"] == chosen].tolist()
        if not names:
            raise ValueError(f"{self.name} has no neurons of the type {chosen!r}")
        return names

    def adjacency(self, kind="chemical", weighted=False):
        """Adjacency matrix, (neurons, neurons): entry [i, j] is the connection from neuron j to neuron i.

        Args:
            kind: "chemical", "gap" or "union".
            weighted: weights instead of 0 and 1.

        Returns:
            An integer NumPy array.
        """
        edges = self.edges(kind)
        A = np.zeros((len(self.neurons), len(self.neurons)), dtype=int)
        post, pre = (self.neurons.index.get_indexer(edges[end]) for end in ("post", "pre"))
        A[post, pre] = edges["weight"] if weighted else 1
        return A

    def graph(self, kind="chemical"):
        """The connections as a ``networkx.DiGraph`` with node attributes type and pos, edge attribute weight."""
        graph = nx.DiGraph(name=f"{self.name}, {kind}")
        for neuron in self.neurons.itertuples():
            graph.add_node(neuron.Index, type=neuron.type, pos=(neuron.y_um, neuron.z_um))
        graph.add_weighted_edges_from(self.edges(kind).itertuples(index=False))
        return graph


def load(name):
    """Load a reconstruction of the worm's nervous system.

    Args:
        name: a key of ``DATASETS``: "varshney2011", "cook2019", "fenyves2020" (chemical only) or "witvliet2021_1"
            (birth) to "witvliet2021_8" (adult).

    Returns:
        A :class:`Connectome`.

    Raises:
        ValueError: no such dataset; the message offers the nearest names.
        DamagedDataError: a table is missing or was changed.
    """
    if name not in DATASETS:
        raise ValueError(suggest(name, DATASETS, "dataset"))
    source = DATASETS[name]
    chemical = _connections(source.chemical, source.stage)
    if source.gap is None:
        gap = pd.DataFrame({"a": pd.Series(dtype=str), "b": pd.Series(dtype=str), "weight": pd.Series(dtype=int)})
    else:
        gap = _connections(source.gap, source.stage)
    cells = neurons()
    if not source.whole:
        cells = cells[cells.index.isin({*chemical["pre"], *chemical["post"], *gap["a"], *gap["b"]})]
    both = source.unit if source.gap_unit in ("", source.unit) else f"{source.unit} and {source.gap_unit}"
    units = {"chemical": source.unit, "gap": source.gap_unit or source.unit, "union": both}
    return Connectome(name, cells, chemical, gap, units)


def _connections(table, stage):
    """A table's connections with the weight column named ``weight``.

    Raises:
        DamagedDataError: an end is not one of the 302 neurons, a pair stands there twice, or a weight is not a positive
            whole number. A matrix made of such a table would be wrong without a word.
    """
    frame = _cached_table(table)
    if stage is not None:
        frame = frame[frame["stage"] == stage].drop(columns="stage")
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

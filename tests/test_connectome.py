"""The worm's tables against the published and the computed counts, and the ways to ask for them."""

import io

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from sparsecourse import connectome

# neurons, chemical pairs, their weight, self, gap pairs, self, their weight, union; sparsity in per cent of each kind
COUNTS = {
    "varshney2011": (279, 2_194, 6_394, 0, 517, 3, 890, 2_993, (97.18, 98.68, 96.15)),
    "cook2019": (302, 3_709, 20_965, 38, 1_105, 14, 5_779, 5_146, (95.93, 97.59, 94.36)),
    "witvliet2021_1": (161, 675, 1_152, 0, 83, 2, 104, 821, (97.40, 99.37, 96.83)),
    "witvliet2021_5": (174, 1_324, 3_644, 0, 289, 6, 415, 1_791, (95.63, 98.11, 94.08)),
    "witvliet2021_8": (180, 1_933, 7_099, 0, 304, 8, 424, 2_371, (94.03, 98.15, 92.68)),
    "fenyves2020": (302, 3_638, 20_589, 34, 0, 0, 0, 3_638, (96.01, 100.00, 96.01)),
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts(name):
    neurons, chemical, chemical_weight, chemical_self, gap, gap_self, gap_weight, union, sparsities = COUNTS[name]
    worm = connectome.load(name)
    assert len(worm.neurons) == neurons
    assert (len(worm.chemical), worm.chemical["weight"].sum()) == (chemical, chemical_weight)
    assert (worm.chemical["pre"] == worm.chemical["post"]).sum() == chemical_self
    assert (len(worm.gap), worm.gap["weight"].sum()) == (gap, gap_weight)
    assert (worm.gap["a"] == worm.gap["b"]).sum() == gap_self
    assert len(worm.edges("union")) == union
    found = tuple(round(100 * (1 - worm.adjacency(kind).sum() / neurons**2), 2) for kind in connectome.KINDS)
    assert found == sparsities


@pytest.mark.parametrize("name", connectome.DATASETS)
def test_every_dataset_is_whole(name):
    """Also the ones without published counts: matrix, edges and graph hold the same connections."""
    worm = connectome.load(name)
    for kind in connectome.KINDS:
        edges = worm.edges(kind)
        assert worm.adjacency(kind).sum() == len(edges) == worm.graph(kind).number_of_edges()
        assert worm.adjacency(kind, weighted=True).sum() == edges["weight"].sum()
        assert len(worm.graph(kind)) == len(worm.neurons)
        assert worm.units[kind]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("AVAL,VA08,3", "unknown neuron 'VA08'; did you mean VA8"),
        ("AVAL,VA8,3\nAVAL,VA8,1", "AVAL to VA8 stands there twice"),
        ("AVAL,VA8,3.7", "'synapses', must hold positive whole numbers"),
        ("AVAL,VA8,0", "'synapses', must hold positive whole numbers"),
    ],
)
def test_a_table_that_would_make_a_wrong_matrix_is_refused(rows, words, monkeypatch):
    frame = pd.read_csv(io.StringIO(f"pre,post,synapses\n{rows}"))
    tables = {"varshney2011_chemical": frame}
    read = connectome._cached_table
    monkeypatch.setattr(connectome, "_cached_table", lambda name: tables[name] if name in tables else read(name))
    with pytest.raises(connectome.DamagedDataError, match=words):
        connectome.load("varshney2011")


def test_weights_say_what_they_count():
    assert connectome.load("varshney2011").units == {
        "chemical": "synapses",
        "gap": "junctions",
        "union": "synapses and junctions",
    }
    assert set(connectome.load("cook2019").units.values()) == {"sections"}


def test_neurons():
    table = connectome.neurons()
    assert len(table) == 302
    assert table["type"].value_counts().to_dict() == {
        "sensory": 83,
        "inter": 81,
        "motor": 116,
        "pharyngeal": 20,
        "unknown": 2,
    }
    assert table["class"].nunique() == 118  # White et al. 1986
    assert table["side"].value_counts()[["L", "R"]].tolist() == [99, 99]
    assert table["y_um"].between(-320, 420).all()
    assert not table[["x_um", "y_um", "z_um"]].isna().any().any()


def test_the_neurons_varshney_left_out():
    left_out = connectome.neurons().drop(connectome.load("varshney2011").neurons.index)
    assert (left_out["type"] == "pharyngeal").sum() == 20
    assert set(left_out.index[left_out["type"] != "pharyngeal"]) == {"CANL", "CANR", "VC6"}


def test_hubs_of_cook():
    worm = connectome.load("cook2019")
    A = worm.adjacency()
    assert A[worm.index("AVAL")].sum() == 65 == A.sum(axis=1).max()
    assert A[:, worm.index("AVAR")].sum() == 48 == A.sum(axis=0).max()


def test_the_pharynx_hangs_on_ripl_and_ripr():
    worm = connectome.load("cook2019")
    pharynx = set(worm.neurons.index[worm.neurons["type"] == "pharyngeal"])
    crossing = [(a, b) for a, b in worm.graph("union").edges if (a in pharynx) != (b in pharynx)]
    assert {frozenset(edge) for edge in crossing} == {
        frozenset(pair) for pair in [("M1", "RIPL"), ("I1L", "RIPL"), ("I1R", "RIPR")]
    }


def test_adjacency_is_out_by_in():
    worm = connectome.load("varshney2011")
    row = worm.chemical.iloc[0]
    A = worm.adjacency("chemical", weighted=True)
    assert A[worm.index(row["post"]), worm.index(row["pre"])] == row["weight"]
    assert A.sum() == 6_394
    gap = worm.adjacency("gap", weighted=True)
    assert (gap == gap.T).all()


@pytest.mark.parametrize("kind", connectome.KINDS)
def test_graph_agrees_with_the_matrix(kind):
    worm = connectome.load("varshney2011")
    graph = worm.graph(kind)
    assert list(graph.nodes) == list(worm.neurons.index)
    matrix = nx.to_numpy_array(graph, weight="weight").T  # networkx writes from-to
    np.testing.assert_array_equal(matrix, worm.adjacency(kind, weighted=True))


def test_signs_are_predictions():
    signs = connectome.load("fenyves2020").chemical["sign"].value_counts().to_dict()
    assert signs == {"unknown": 1_415, "+": 1_327, "complex": 471, "-": 425}


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda: connectome.load("cook2018"), "unknown dataset 'cook2018'; did you mean cook2019?"),
        (lambda: connectome.load("cook2019").index("AVAl"), "unknown neuron 'AVAl'; did you mean AVAL?"),
        (lambda: connectome.load("cook2019").edges("chem"), "did you mean chemical?"),
        (lambda: connectome.load("cook2019").edges("zzz"), "known are chemical, gap, union"),
    ],
)
def test_unknown_names_suggest_near_ones(ask, answer):
    with pytest.raises(ValueError, match=answer.replace("?", r"\?")):
        ask()


@pytest.mark.parametrize("kind", connectome.KINDS)
def test_the_graph_can_be_written_and_read_again(kind, tmp_path):
    graph = connectome.load("cook2019").graph(kind)
    nx.write_graphml(graph, tmp_path / "worm.graphml")
    again = nx.read_graphml(tmp_path / "worm.graphml")
    assert dict(again.nodes(data=True)) == dict(graph.nodes(data=True))
    assert {(*ends, data["weight"]) for *ends, data in again.edges(data=True)} == {
        (*ends, data["weight"]) for *ends, data in graph.edges(data=True)
    }


def test_a_group_may_be_anything_that_gives_names():
    worm = connectome.load("cook2019")
    names = ["AVAL", "ASHL"]
    for given in (names, tuple(names), (name for name in names), pd.Index(names)):
        assert worm.group(given) == names
    with pytest.raises(ValueError, match="a group has at least one neuron, got none"):
        worm.group([])

"""Figures: what is drawn agrees with the arrays, a cut weight vanishes from both, and every figure has words."""

import re

import matplotlib
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.colors import to_rgba

from sparsecourse import connectome, driving, masks, palette, plots
from sparsecourse.plots.driving import HALF_LANE, LENGTH, SIGHT
from tools import lessons

W = np.array([[0.9, -0.5, 0.0, 0.4], [0.3, 0.8, -0.7, 0.0], [-0.6, 0.2, 0.5, 1.0]])


def lines(ax):
    return [segment for part in ax.collections if isinstance(part, LineCollection) for segment in part.get_segments()]


def mesh(ax):
    return next(part for part in ax.collections if isinstance(part, QuadMesh))


@pytest.mark.parametrize("level", [0, 0.3, 0.5, 0.9])
def test_a_cut_weight_vanishes_from_both_pictures(level):
    S = masks.random(W.shape, level, seed=0)
    fig = plots.layer(W, S)
    diagram, matrix = fig.axes
    strands = next(part for part in diagram.collections if isinstance(part, LineCollection))
    assert len(strands.get_segments()) == S.sum()
    assert (mesh(matrix).get_array().mask == (S == 0)).all()


def test_diagram_and_matrix_have_the_same_colours():
    fig = plots.layer(W)
    diagram, matrix = fig.axes
    fig.canvas.draw_idle()
    of_lines = {tuple(np.round(colour, 6)) for colour in diagram.collections[0].get_colors()}
    shown = mesh(matrix).to_rgba(mesh(matrix).get_array()).reshape(*W.shape, 4)
    of_cells = {tuple(np.round(shown[i, j], 6)) for i, j in np.argwhere(W != 0)}
    assert of_lines == of_cells


def test_weights_near_zero_are_not_drawn_white():
    assert max(palette.WEIGHTS(0.5)[:3]) < 0.85
    assert to_rgba(palette.PAPER)[:3] == (1, 1, 1)


def test_a_layer_of_nothing_but_zeros():
    diagram, matrix = plots.layer(np.zeros((2, 3))).axes
    assert not lines(diagram)
    assert mesh(matrix).get_array().mask.all()


def test_network_draws_one_line_a_weight():
    weights = [np.ones((6, 8)), np.eye(6)]
    _, ax = plots.figure()
    plots.network(ax, weights)
    assert len([line for line in lines(ax) if line[0][0] == 0]) == 48
    assert len([line for line in lines(ax) if line[0][0] == 1]) == 6


def test_terms_add_up_to_the_outputs():
    _, ax = plots.figure()
    x = np.array([1.0, -2.0, 0.5, 3.0])
    plots.terms(ax, W, x)
    bars = sum(bar.get_width() for bar in ax.patches)
    assert bars == pytest.approx((W @ x).sum())


def test_the_axis_of_the_terms_stays_while_a_panel_moves_its_inputs():
    limits = set()
    for x in ([2.0, -2.0, -2.0, 2.0], [0.0, 0.0, 0.0, 0.0], [-2.0, 2.0, 2.0, -2.0]):
        _, ax = plots.figure()
        plots.terms(ax, W, x, reach=2.0)
        limits.add(ax.get_xlim())
    assert len(limits) == 1
    assert max(limits)[1] > np.abs(W).sum(axis=1).max() * 2


@pytest.mark.parametrize("x", [[1.0, 1.0, 1.0, 1.0], [-2.0, 0.0, 0.5, 3.0], [0.0, 0.0, 0.0, 0.0]])
def test_without_a_reach_the_axis_of_the_terms_fits_them(x):
    _, ax = plots.figure()
    plots.terms(ax, W, x)
    drawn = np.append((W * np.array(x)).ravel(), W @ np.array(x))
    low, high = ax.get_xlim()
    assert low < min(0, drawn.min()) <= max(0, drawn.max()) < high
    assert high - low <= max(1.31 * np.ptp(np.append(drawn, 0)), 2)


def test_a_term_has_the_colour_of_its_line():
    _, ax = plots.figure()
    plots.terms(ax, W, [-1.0, 2.0, 1.0, 1.0])
    colours = palette.WEIGHTS(plots.weight_scale([W])(W.T.ravel()))
    assert np.allclose([bar.get_facecolor() for bar in ax.patches], colours)


def test_wiring_matrix_has_a_dot_for_every_connection():
    worm = connectome.load("cook2019")
    _, ax = plots.figure()
    plots.wiring_matrix(ax, worm.adjacency(), worm.neurons["type"])
    dots = [np.column_stack(line.get_data()) for line in ax.lines if line.get_marker() == "."]
    assert sum(map(len, dots)) == 3_709
    assert {(int(y), int(x)) for x, y in np.concatenate(dots)} == {tuple(ij) for ij in np.argwhere(worm.adjacency())}


def test_body_map_has_every_neuron_and_colours_what_is_sent():
    worm = connectome.load("varshney2011")
    own = worm.chemical[(worm.chemical["pre"] == "AVAL") | (worm.chemical["post"] == "AVAL")]
    _, ax = plots.figure()
    plots.body_map(ax, worm.neurons, own, chosen="AVAL")
    heard, sent = [part for part in ax.collections if isinstance(part, LineCollection)]
    assert len(sent.get_segments()) == (own["pre"] == "AVAL").sum()
    assert len(heard.get_segments()) == (own["pre"] != "AVAL").sum()
    points = [part for part in ax.collections if isinstance(part, matplotlib.collections.PathCollection)]
    assert sum(len(part.get_offsets()) for part in points[:-1]) == len(worm.neurons)  # the last one marks AVAL


def test_spring_draws_a_pair_that_is_connected_both_ways_once():
    graph = nx.DiGraph([("AVAL", "AVAR"), ("AVAR", "AVAL"), ("AVAL", "PVCL")])
    nx.set_node_attributes(graph, "interneuron", "type")
    _, ax = plots.figure()
    plots.spring(ax, graph, bold=[("AVAL", "PVCL")])
    assert len(lines(ax)) == 2 + 1
    assert [text.get_text() for text in ax.texts] == ["AVAL", "PVCL"]


def test_degrees_fall_from_one():
    _, ax = plots.figure()
    draws = [np.array([1, 2, 3, 3]), np.array([2, 2, 2, 3])]
    plots.degrees(ax, {"one": draws[0], "many": draws}, {"one": palette.BLUE, "many": palette.QUIET})
    assert ax.lines[0].get_ydata().tolist() == [1, 0.75, 0.5]
    assert ax.lines[1].get_ydata().tolist() == [1, 0.875, 0.375]


def test_alt_text_is_required_and_escaped():
    fig, _ = plots.figure(2, 1)
    with pytest.raises(ValueError, match="alt must say"):
        plots.image_html(fig, " ")
    html = plots.image_html(fig, 'W < 0 is "blue"')
    assert 'alt="W &lt; 0 is &quot;blue&quot;"' in html
    assert re.search(r'width="192"', html)


def test_show_gives_one_bundle_with_words(capsys):
    fig, _ = plots.figure(2, 1)
    plots.show(fig, "An empty pair of axes.")
    assert "[figure: An empty pair of axes.]" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["html", "png"])
def test_both_forms_of_a_figure_are_read_alike(form, monkeypatch):
    sent = {}
    monkeypatch.setattr(plots.canvas, "display", lambda data, metadata, raw: sent.update(data=data, metadata=metadata))
    monkeypatch.setenv(plots.FIGURES, form)
    fig, _ = plots.figure(2, 1)
    alt = 'W < 0 is "blue" [here].\nElsewhere it is not.'
    plots.show(fig, alt)
    assert set(sent["data"]) == {"text/plain", {"html": "text/html", "png": "image/png"}[form]}
    assert lessons.figure(sent) == plots.image_html(fig, alt)
    with pytest.raises(ValueError, match="alt must say"):
        plots.show(fig, " ")


def test_an_image_without_words_is_refused():
    assert lessons.figure({"data": {"text/html": "<table></table>", "text/plain": "a table"}}) == ""
    with pytest.raises(ValueError, match="gives it alternative text"):
        lessons.figure({"data": {"image/png": "iVBORw0KGgo", "text/plain": "<Figure size 640x480>"}})


def luminance(colour):
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgba(colour)[:3]]
    return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]


@pytest.mark.parametrize("colour", [palette.INK, palette.QUIET])
def test_text_can_be_read_on_paper(colour):
    """WCAG 2: at least 4.5 to 1."""
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5


@pytest.mark.parametrize("look", [palette.METHOD_STYLES, palette.NEURON_STYLES])
def test_every_method_and_type_has_a_colour_and_a_marker_of_its_own(look):
    colours, markers = zip(*look.values(), strict=True)
    assert len(set(colours)) == len(set(markers)) == len(look)


# ------------------------------------------------------------------------------------------------- runs and seeds


def summary(**lines):
    """A table as measure.intervals makes it, from {line: [(x, mean)]}."""
    rows = [(name, x, y, y - 0.1, y + 0.1) for name, points in lines.items() for x, y in points]
    return pd.DataFrame(rows, columns=["method", "x", "mean", "low", "high"])


def named(ax, **points):
    """{name written into the axes: where its text is, in inches from the left and from below}."""
    plots.curves(ax, summary(**points), x="x", line="method")
    ax.figure.draw_without_rendering()
    boxes = {text.get_text(): text.get_window_extent() for text in ax.texts}
    return {name: (box.x0 / ax.figure.dpi, (box.y0 + box.y1) / 2 / ax.figure.dpi) for name, box in boxes.items()}


def test_curves_draw_a_line_and_a_band_for_each_name():
    _, ax = plots.figure(5, 3)
    names = named(ax, dense=[(0, 1.0), (1, 2.0)], random=[(0, 1.0), (1, 0.5)])
    assert set(names) == {"dense", "random"}
    assert [line.get_color() for line in ax.lines] == [palette.METHOD_STYLES[name][0] for name in ("dense", "random")]
    assert len(ax.collections) == 2


def test_names_at_the_ends_do_not_touch():
    _, ax = plots.figure(5, 3)
    ax.set(xlim=(0, 1), ylim=(0, 4))
    names = named(ax, dense=[(0, 1), (1, 2.0)], random=[(0, 1), (1, 2.01)], local=[(0, 1), (1, 2.02)])
    heights = sorted(height for _, height in names.values())
    assert np.diff(heights).min() > 0.15
    assert [name for name, _ in sorted(names.items(), key=lambda item: item[1][1])] == ["dense", "random", "local"]


@pytest.mark.parametrize("limits", [(0, 1), (1, 0)])
def test_names_are_at_the_right_end_also_where_the_axis_is_turned(limits):
    _, ax = plots.figure(5, 3)
    ax.set(xlim=limits, ylim=(0, 4))
    named(ax, dense=[(0, 1.0), (1, 3.0)])
    assert ax.texts[0].xy[0] == limits[1]


def test_a_line_that_ends_early_has_its_name_there():
    _, ax = plots.figure(5, 3)
    ax.set(xlim=(0, 2), ylim=(0, 4))
    names = named(ax, dense=[(0, 1.0), (1, 2.0)], random=[(0, 1.0), (2, 2.0)])
    assert names["dense"][0] < 3 < names["random"][0]


def test_packed_lists_are_those_of_scipy():
    matrix = np.array([[0, 2, 0, 0], [0, 0, 0, 0], [3, 0, 0, -4]])
    csr = scipy.sparse.csr_array(matrix)
    fig = plots.packed(matrix, matrix != 0)
    written = [text.get_text() for text in fig.axes[1].texts]
    expected = [*csr.data, *csr.indices, *csr.indptr]
    assert [text for text in written if "(" not in text] == [str(number) for number in expected]
    assert [text for text in written if "(" in text] == ["values (3)", "columns (3)", "starts (4)"]


def test_every_boundary_of_two_rows_is_drawn_where_rows_are_empty():
    matrix = np.array([[0, 0], [1, 2], [0, 0], [0, 0], [3, 0], [0, 0]])
    fig = plots.packed(matrix, matrix != 0)
    boundaries = [float(low[0]) for low, high in lines(fig.axes[1]) if (low[1], high[1]) == (1.0, 3.0)]
    assert len(boundaries) == len(set(boundaries)) == 5
    assert np.rint(boundaries).tolist() == [0, 2, 2, 2, 3]


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("strength", [0, 0.3, 0.8, 2.0])
def test_the_dot_is_the_cheapest_weight(power, strength):
    _, ax = plots.figure(3, 2)
    plots.priced(ax, 0.8, strength, power)
    total = next(line for line in ax.lines if line.get_label() == "sum")
    dot = ax.lines[-1]
    assert dot.get_ydata()[0] <= total.get_ydata().min() + 1e-12
    assert dot.get_ydata()[0] == pytest.approx(total.get_ydata().min(), abs=1e-4)


def test_the_histogram_has_every_weight_kept_or_cut():
    weights = np.random.default_rng(0).normal(size=500)
    _, ax = plots.figure(3, 2)
    bars = []
    hist = ax.hist
    ax.hist = lambda values, edges, **options: bars.append(len(values)) or hist(values, edges, **options)
    plots.cut_histogram(ax, weights, masks.magnitude(weights, 0.3))
    assert bars == [350, 150]


def test_ranked_settings_stand_in_their_order_from_the_top():
    _, ax = plots.figure(4, 2)
    plots.ranked(ax, summary(dense=[(0, 2.0)], random=[(0, 1.0)]), "method", {"dense": palette.METHOD_STYLES["dense"]})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["dense", "random"]
    assert ax.yaxis_inverted()
    points = [line for line in ax.lines if len(line.get_xdata()) == 1]
    assert [point.get_xdata()[0] for point in points] == [2.0, 1.0]
    assert points[0].get_color() == palette.METHOD_STYLES["dense"][0]
    bars = [line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 2]
    assert np.allclose(bars, [[1.9, 2.1], [0.9, 1.1]])


def test_a_circuit_names_the_neurons_that_it_draws():
    S = np.zeros((4, 6), dtype=int)
    S[3, :2] = 1
    _, ax = plots.figure()
    plots.circuit(ax, np.ones((4, 6)), S, {"inter": 2, "command": 1, "motor": 1})
    assert [text.get_text() for text in ax.texts] == ["2 inputs", "1 motor"]
    S[0, 0] = S[2, 2] = S[3, 4] = 1  # input to inter 1, inter 1 to command, command to motor
    _, ax = plots.figure()
    plots.circuit(ax, np.ones((4, 6)), S, {"inter": 2, "command": 1, "motor": 1})
    assert [text.get_text() for text in ax.texts] == ["2 inputs", "1 inter", "1 command", "1 motor"]


def test_the_road_is_drawn_with_the_world_s_measures():
    assert (LENGTH, HALF_LANE, SIGHT) == (driving.SPEED * driving.STEP, driving.HALF_LANE, driving.SIGHT)


def test_moved_connections_are_told_apart():
    before, after = masks.random((6, 8), 0.5, seed=0), masks.random((6, 8), 0.5, seed=1)
    _, ax = plots.figure()
    plots.moved(ax, before, after)
    kinds = ax.images[0].get_array()
    assert ((kinds == 1) == (before & after)).all()
    assert ((kinds == 2) == (before & (1 - after))).all()
    assert ((kinds == 3) == (after & (1 - before))).all()
    assert [text.get_text() for text in ax.texts] == ["stayed", "gone", "grown"]
    assert len({tuple(ax.images[0].cmap(k)) for k in range(4)}) == 4

"""The worm's neurons and their connections."""

import networkx as nx
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle

from sparsecourse import palette
from sparsecourse.plots.canvas import NAME, figure

MARKERS = [MarkerStyle(marker) for _, marker in palette.NEURON_STYLES.values()]
OUTLINES = {each.get_marker(): each.get_path().transformed(each.get_transform()) for each in MARKERS}
HEARD, SENT = palette.OLIVE, palette.INK  # lines from those that a neuron hears, and to those that it sends to


def wiring_matrix(ax, A, types):
    """Draw an adjacency matrix as dots, its neurons sorted by type.

    Args:
        A: adjacency matrix, entry [i, j] from neuron j to neuron i; rows already sorted by type.
        types: the type of each neuron, in the same order.
    """
    types = np.asarray(types).astype(str)
    to, source = np.nonzero(A)
    for name, (colour, _) in palette.NEURON_STYLES.items():
        of_type = types[source] == name
        ax.plot(source[of_type], to[of_type], ".", markersize=1.8, markeredgewidth=0, color=colour)
    change = np.flatnonzero(types[1:] != types[:-1]) + 0.5
    edges = np.concatenate([[-0.5], change, [len(types) - 0.5]])
    for edge in change:
        ax.axhline(edge, color=palette.FAINT, linewidth=0.8, zorder=0)
        ax.axvline(edge, color=palette.FAINT, linewidth=0.8, zorder=0)
    large = np.diff(edges) > 10  # a label needs room
    middle = ((edges[:-1] + edges[1:]) / 2)[large]
    names = [types[int(m)] for m in middle]
    ax.set_xticks(middle, names, rotation=20, ha="right")
    ax.set_yticks(middle, names)
    ax.tick_params(length=0)
    first, last = edges[[0, -1]]
    ax.set(xlim=(first, last), ylim=(last, first), aspect="equal", xlabel="from neuron j", ylabel="to neuron i")
    return ax


def body_map(ax, neurons, edges, chosen):
    """Draw the neurons where they lie in the worm, seen from its left, and the connections of one of them.

    Its lines are black to those that it sends to, and olive from those that it hears. No type of neuron has these
    colours.

    Args:
        neurons: data frame with the columns type, y_um, z_um and names as its index.
        edges: data frame pre, post of the connections to draw.
        chosen: the neuron to mark.
    """
    place = neurons[["y_um", "z_um"]]
    ends = np.stack([place.loc[edges["pre"]], place.loc[edges["post"]]], axis=1)
    sent = (edges["pre"] == chosen).to_numpy()
    for lines, colour in ((ends[~sent], HEARD), (ends[sent], SENT)):
        ax.add_collection(LineCollection(lines, colors=colour, linewidths=0.9, alpha=0.7))
    lit = neurons.index.isin({*edges["pre"], *edges["post"]})
    styles = [palette.NEURON_STYLES[name] for name in neurons["type"]]
    shades = [to_rgba(colour, 1.0 if near else 0.25) for (colour, _), near in zip(styles, lit, strict=True)]
    units = ax.scatter(*place.to_numpy().T, s=np.where(lit, 20, 12), c=shades, linewidth=0.8, zorder=2)
    units.set_paths([OUTLINES[marker] for _, marker in styles])  # one set of points is drawn sooner than one a type
    ax.scatter(*place.loc[chosen], s=110, facecolors="none", edgecolors=palette.INK, linewidth=1.5, zorder=3)
    ax.annotate(chosen, place.loc[chosen], xytext=(0, 10), zorder=4, **NAME)
    ax.set(xlabel="position along the body, µm (head left)", ylabel="height, µm")
    ax.autoscale_view()
    return ax


def worm(neurons, edges, chosen):
    """A figure of the whole worm above, and its crowded head enlarged below; its arguments are those of body_map."""
    margins = {"left": 0.09, "right": 0.98, "top": 0.92, "bottom": 0.11, "hspace": 0.35}
    fig, (whole, head) = figure(8.5, 0.55 * 8.5, rows=2, margins=margins, height_ratios=(1, 1.35))
    for ax in (whole, head):
        body_map(ax, neurons, edges, chosen)
    whole.set(xlabel="", xticks=range(-300, 500, 100), yticks=(-50, 0, 50))
    head.set(xlim=(-320, -225), ylim=(5, 65), xticks=range(-320, -220, 20), yticks=(20, 40, 60))
    head.set_title("the head, enlarged", loc="left", fontsize=9)
    count = neurons["type"].value_counts()
    key = [
        Line2D([], [], linestyle="", marker=marker, color=colour, markersize=5, label=f"{name} ({count.get(name, 0)})")
        for name, (colour, marker) in palette.NEURON_STYLES.items()
    ]
    key += [Line2D([], [], color=colour, label=label) for label, colour in (("hears", HEARD), ("sends to", SENT))]
    fig.legend(handles=key, loc="upper center", ncols=7, frameon=False, fontsize=8, columnspacing=1.2)
    return fig


def spring(ax, graph, bold):
    """Draw a worm's wiring as a graph whose connections pull and whose neurons push each other away.

    Args:
        graph: networkx graph, directed or not, with the node attribute type.
        bold: connections (a, b) to draw bold, with the names of their neurons.
    """
    graph = nx.Graph(graph)  # a pair that is connected both ways pulls once
    place = nx.spring_layout(graph, seed=1)
    lines = [(place[a], place[b]) for a, b in graph.edges]
    ax.add_collection(LineCollection(lines, colors=palette.QUIET, linewidths=0.3, alpha=0.25, zorder=1))
    ax.add_collection(LineCollection([(place[a], place[b]) for a, b in bold], colors=palette.INK, linewidths=1.5))
    for name, (colour, marker) in palette.NEURON_STYLES.items():
        points = np.array([place[neuron] for neuron, kind in graph.nodes(data="type") if kind == name])
        ax.scatter(*points.reshape(-1, 2).T, s=18, color=colour, marker=marker, linewidth=0.8, zorder=2, label=name)
    for k, neuron in enumerate(sorted({neuron for edge in bold for neuron in edge})):
        offset = (0, 6 if k % 2 == 0 else -14)  # by turns above and below: the names come in pairs, left and right
        ax.annotate(neuron, place[neuron], xytext=offset, **NAME)
    ax.axis("off")
    return ax

"""Figures of the course. Plain arrays and data frames go in, matplotlib Axes come out; nothing here knows a widget.

Every function draws into the Axes that it is given and returns them. ``figure`` makes them; ``show`` puts a finished
figure into a notebook with words for those who can't see it.
"""

import base64
import html
import io

import networkx as nx
import numpy as np
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, Normalize, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, PercentFormatter

from sparsecourse import palette

SCREEN_DPI = 96
EARLY = 0.8  # a line that ends left of this fraction of the axes' width ends early
SHARPNESS = 2  # pixels drawn for each pixel shown, so that figures stay sharp on fine screens


# --------------------------------------------------------------------------------------------- figures with words


def figure(width=6.0, height=3.5, columns=1, rows=1, layout="constrained", **options):
    """A figure and its Axes, in the course's style and outside pyplot's memory.

    Args:
        width, height: size in inches.
        columns, rows: grid of Axes.
        layout: matplotlib's layout engine; None leaves the margins to the caller and draws faster.
        **options: passed on to ``Figure.subplots``, for example ``sharey=True``.

    Returns:
        (figure, Axes), or (figure, array of Axes) for a grid.
    """
    fig = Figure(figsize=(width, height), layout=layout, facecolor=palette.PAPER)
    axes = fig.subplots(rows, columns, **options)
    for ax in np.ravel(axes):
        ax.spines[["top", "right"]].set_visible(False)
    return fig, axes


def image_html(fig, alt):
    """A figure as an HTML image with alternative text.

    Args:
        fig: a matplotlib figure.
        alt: what the figure shows, in a sentence or two.

    Raises:
        ValueError: alt is empty.
    """
    if not alt.strip():
        raise ValueError("alt must say what the figure shows")
    png = io.BytesIO()
    fig.set_dpi(SCREEN_DPI * SHARPNESS)
    FigureCanvasAgg(fig).print_png(png)  # draws once, where savefig draws twice: panels redraw at every move
    data = base64.b64encode(png.getvalue()).decode()
    width = round(fig.get_figwidth() * SCREEN_DPI)
    return (
        f'<img alt="{html.escape(alt)}" width="{width}" style="max-width: 100%; height: auto" '
        f'src="data:image/png;base64,{data}">'
    )


def show(fig, alt):
    """Show a figure in the notebook together with alternative text.

    JupyterLab drops the alternative text of a plain image, so the figure is sent as HTML.

    Args:
        fig: a matplotlib figure.
        alt: what the figure shows, in a sentence or two.
    """
    display({"text/html": image_html(fig, alt), "text/plain": f"[figure: {alt}]"}, raw=True)


# ------------------------------------------------------------------------------- a layer: matrix and diagram


def subscript(number):
    """A number in subscript digits; plain text, because matplotlib takes 4 ms to set a formula."""
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def weight_scale(weights):
    """Colour scale that gives +1 and -1 times the largest magnitude the two ends of the map."""
    largest = max((np.abs(W).max() for W in weights if np.size(W)), default=0)
    return Normalize(-largest or -1, largest or 1)


def matrix(ax, W, S=None, numbers=None, scale=None):
    """Draw a weight matrix. A cut weight is an empty cell.

    Args:
        ax: Axes to draw into.
        W: weights, (out, in).
        S: mask of the same shape; None keeps every weight that is not zero.
        numbers: write the values into the cells; None does so where there are at most 60.
        scale: colour scale to share with another picture; None makes one for W.
    """
    W = np.asarray(W, dtype=float)
    S = (W != 0) if S is None else np.asarray(S, dtype=bool)
    n_out, n_in = W.shape
    scale = scale or weight_scale([W])
    ruled = W.size < 2000  # a rule around every cell, or around the whole matrix only
    ax.pcolormesh(np.ma.masked_array(W, mask=~S), cmap=palette.WEIGHTS, norm=scale)
    rules = {"color": palette.FAINT, "linewidth": 0.8, "zorder": 1.5}  # above the colours, so that empty cells are seen
    ax.hlines(range(n_out + 1) if ruled else (0, n_out), 0, n_in, **rules)
    ax.vlines(range(n_in + 1) if ruled else (0, n_in), 0, n_out, **rules)
    if numbers if numbers is not None else W.size <= 60:
        for i, j in np.argwhere(S):
            value = W[i, j]
            dark = abs(value) > 0.6 * scale.vmax
            ax.text(
                j + 0.5,
                i + 0.5,
                f"{value:.1f}",
                ha="center",
                va="center",
                fontsize=9,
                color=palette.PAPER if dark else palette.INK,
            )
    ax.set(xlim=(0, n_in), ylim=(n_out, 0), xlabel="input j", ylabel="output i", aspect="equal")
    for axis, n in ((ax.xaxis, n_in), (ax.yaxis, n_out)):
        step = 1 if n <= 12 else max(1, n // 6)
        axis.set_ticks(np.arange(0, n, step) + 0.5, [str(k + 1) for k in range(0, n, step)])
        axis.set_tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def hidden(ax, W, S):
    """Draw all of a weight matrix, a cross over every entry that its mask hides.

    Args:
        ax: Axes to draw into.
        W: weights, (out, in).
        S: mask of the same shape.
    """
    matrix(ax, W, np.ones_like(S), numbers=False)
    to, source = np.nonzero(np.asarray(S) == 0)
    ax.scatter(source + 0.5, to + 0.5, marker="x", s=26, color=palette.INK, linewidth=1)
    return ax


def network(ax, weights, masks=None, labels=True, scale=None, values=None, line_labels=False):
    """Draw a fully connected network from left to right. A cut weight has no line.

    Args:
        ax: Axes to draw into.
        weights: one matrix (out, in) a layer.
        masks: one mask a layer; None keeps every weight that is not zero.
        labels: number the units.
        scale: colour scale to share with another picture; None makes one for all layers.
        values: one array of numbers a column of units, written into them instead of their names.
        line_labels: write each weight onto its line; for small networks.
    """
    weights = [np.asarray(W, dtype=float) for W in weights]
    masks = [W != 0 for W in weights] if masks is None else [np.asarray(S, dtype=bool) for S in masks]
    scale = scale or weight_scale(weights)
    sizes = [weights[0].shape[1], *(W.shape[0] for W in weights)]
    tallest = max(sizes)
    heights = [tallest / 2 - (np.arange(n) + 0.5) * tallest / n for n in sizes]
    for layer, (W, S) in enumerate(zip(weights, masks, strict=True)):
        kept = np.argwhere(S)
        kept = kept[np.argsort(np.abs(W[S]), kind="stable")]  # strong weights on top
        lines = [[(layer, heights[layer][j]), (layer + 1, heights[layer + 1][i])] for i, j in kept]
        magnitude = np.array([abs(W[i, j]) for i, j in kept]) / scale.vmax
        ax.add_collection(
            LineCollection(
                lines,
                colors=[palette.WEIGHTS(scale(W[i, j])) for i, j in kept],
                linewidths=0.8 + 2.6 * magnitude if len(kept) < 150 else 0.4 + 1.2 * magnitude,
                zorder=1,
            )
        )
        for (start, end), (i, j) in zip(lines if line_labels else [], kept, strict=line_labels):
            place = np.add(np.multiply(start, 0.7), np.multiply(end, 0.3))  # off the middle, where lines cross
            box = {"facecolor": palette.PAPER, "edgecolor": "none", "pad": 1}
            ax.text(*place, f"{W[i, j]:g}", ha="center", va="center", fontsize=10, bbox=box, zorder=3)
    radius = 320 if tallest <= 8 else 2400 / tallest
    for layer, n in enumerate(sizes):
        ax.scatter([layer] * n, heights[layer], s=radius, color=palette.PAPER, edgecolors=palette.INK, zorder=2)
        letter = "x" if layer == 0 else "y" if layer == len(sizes) - 1 else "h"
        for k, height in enumerate(heights[layer]):
            if values is not None:
                ax.text(layer, height, f"{values[layer][k]:.1f}", ha="center", va="center", fontsize=8, zorder=3)
            elif labels and tallest <= 12:
                name = f"{letter}{subscript(k + 1)}"
                ax.text(layer, height, name, ha="center", va="center", fontsize=10, zorder=3)
    ax.set(xlim=(-0.25, len(sizes) - 0.75), ylim=(-tallest / 2 - 0.2, tallest / 2 + 0.2))
    ax.axis("off")
    return ax


def layer(W, S=None, width=7.0, height=None, **values):
    """The course's signature picture: one layer as a diagram and as a matrix, in the same colours.

    Args:
        W: weights, (out, in).
        S: mask, or None to keep every weight that is not zero.
        width, height: size in inches.
        **values: passed on to :func:`network`.

    Returns:
        A figure.
    """
    W = np.asarray(W, dtype=float)
    fig, (left, right) = figure(width, height or 0.75 + 0.55 * max(W.shape), columns=2, width_ratios=(1, 1.1))
    scale = weight_scale([W])
    network(left, [W], None if S is None else [S], scale=scale, **values)
    matrix(right, W, S, scale=scale)
    return fig


def packed(W, S, width=8.6, height=3.2):
    """A matrix beside the three lists that CSR keeps of it: values, their columns, and where each row starts.

    Args:
        W: weights, (out, in); small, and whole numbers for their place in the cells.
        S: mask of the same shape.
        width, height: size in inches.

    Returns:
        A figure.
    """
    W, S = np.asarray(W, dtype=float), np.asarray(S, dtype=bool)
    fig, (left, right) = figure(width, height, columns=2, width_ratios=(1, 1.9), layout=None)
    fig.subplots_adjust(left=0.06, right=0.99, top=0.97, bottom=0.17, wspace=0.12)
    scale = weight_scale([W])
    matrix(left, W, S, scale=scale, numbers=False)
    left.set_xticks(np.arange(W.shape[1]) + 0.5, range(W.shape[1]))  # counted as the lists count
    left.set_yticks(np.arange(W.shape[0]) + 0.5, range(W.shape[0]))
    left.set(xlabel="column, from 0", ylabel="row, from 0")
    to, source = np.nonzero(S)
    starts = np.concatenate([[0], np.cumsum(S.sum(axis=1))])
    lists = {
        "values": [f"{W[i, j]:g}" for i, j in zip(to, source, strict=True)],
        "columns": [str(j) for j in source],
        "starts": [str(start) for start in starts],
    }
    for row, (name, entries) in enumerate(lists.items()):
        top = 3 - 1.2 * row
        right.text(-0.4, top - 0.4, f"{name} ({len(entries)})", ha="right", va="center", fontsize=9)
        right.hlines((top, top - 0.8), 0, len(entries), color=palette.FAINT, linewidth=0.8)
        right.vlines(np.arange(len(entries) + 1), top - 0.8, top, color=palette.FAINT, linewidth=0.8)
        if name == "values" and entries:
            edges = np.arange(len(entries) + 1)
            right.pcolormesh(edges, (top - 0.8, top), W[S][None, :], cmap=palette.WEIGHTS, norm=scale)
        for k, entry in enumerate(entries):
            dark = name == "values" and abs(float(entry)) > 0.6 * scale.vmax
            colour = palette.PAPER if dark else palette.INK
            right.text(k + 0.5, top - 0.4, entry, ha="center", va="center", fontsize=8, color=colour)
    for start in starts[1:-1]:  # where a new row begins, in the two long lists
        right.vlines(start, 1.0, 3.0, color=palette.INK, linewidth=1.2)
    right.set(xlim=(-4.5, max(W.size / 2, len(starts)) + 0.2), ylim=(-0.3, 3.1))
    right.axis("off")
    return fig


def terms(ax, W, x):
    """Draw what each input adds to each output: a bar for every term W[i, j] x[j], and a diamond for their sum.

    Args:
        ax: Axes to draw into.
        W: weights, (out, in).
        x: inputs, (in,).
    """
    W, x = np.asarray(W, dtype=float), np.asarray(x, dtype=float)
    n_out, n_in = W.shape
    height = 0.8 / (n_in + 1)  # a slot for each term, and one below them for the sum
    for j in range(n_in):
        places = np.arange(n_out) - 0.4 + (j + 0.5) * height
        colours = [palette.WEIGHTS(1.0 if term > 0 else 0.0) for term in W[:, j] * x[j]]
        ax.barh(places, W[:, j] * x[j], height * 0.9, color=colours)
        for i, (place, term) in enumerate(zip(places, W[:, j] * x[j], strict=True)):
            side = 1 if term >= 0 else -1
            ax.annotate(
                f"W{subscript(i + 1)}{subscript(j + 1)} x{subscript(j + 1)}",
                (term, place),
                xytext=(3 * side, 0),
                textcoords="offset points",
                ha="left" if side > 0 else "right",
                va="center",
                fontsize=7,
                color=palette.QUIET,
                in_layout=False,
            )
    ax.scatter(
        W @ x, np.arange(n_out) + 0.4 - 0.5 * height, marker="D", s=30, color=palette.INK, zorder=3, label="their sum y"
    )
    ax.axvline(0, color=palette.INK, linewidth=0.8)
    ax.set_yticks(np.arange(n_out), [f"y{subscript(i + 1)}" for i in range(n_out)])
    # at inputs up to 2 the axis stays as it is, so that the bars of a panel can be compared from move to move
    limit = 1.1 * np.abs(W).sum(axis=1).max() * max(2, np.abs(x).max()) or 1
    ax.set(xlim=(-limit, limit), ylim=(n_out - 0.45, -0.55), xlabel="contribution")
    ax.legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 1))
    return ax


# ---------------------------------------------------------------------------------------------------- the worm


def wiring_matrix(ax, A, types):
    """Draw an adjacency matrix as dots, its neurons sorted by type.

    Args:
        ax: Axes to draw into.
        A: adjacency matrix, entry [i, j] from neuron j to neuron i; rows already sorted by type.
        types: the type of each neuron, in the same order.
    """
    types = np.asarray(types).astype(str)
    to, source = np.nonzero(A)
    for name, (colour, _) in palette.NEURON_TYPES.items():
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
    ax.set(
        xlim=(-0.5, len(types) - 0.5),
        ylim=(len(types) - 0.5, -0.5),
        aspect="equal",
        xlabel="from neuron j",
        ylabel="to neuron i",
    )
    return ax


def body_map(ax, neurons, edges=None, chosen=None):
    """Draw the neurons where they lie in the worm, seen from its left; lines are connections.

    Args:
        ax: Axes to draw into.
        neurons: data frame with the columns type, y_um, z_um and names as its index.
        edges: data frame pre, post of the connections to draw; None draws none.
        chosen: a neuron to mark, or None.
    """
    if edges is not None and len(edges):
        place = neurons[["y_um", "z_um"]]
        ends = np.stack([place.loc[edges["pre"]], place.loc[edges["post"]]], axis=1)
        look = {"linewidths": 0.9, "alpha": 0.7} if len(edges) < 300 else {"linewidths": 0.25, "alpha": 0.25}
        sent = (edges["pre"] == chosen).to_numpy() if chosen else np.zeros(len(edges), bool)
        ax.add_collection(LineCollection(ends[~sent], colors=palette.BLUE, **look))
        ax.add_collection(LineCollection(ends[sent], colors=palette.ORANGE, **look))
    partners = set() if edges is None or chosen is None else {*edges["pre"], *edges["post"]}
    for name, (colour, marker) in palette.NEURON_TYPES.items():
        group = neurons[neurons["type"] == name]
        lit = group.index.isin(partners) if chosen else np.ones(len(group), bool)
        shades = [to_rgba(colour, 1.0 if near else 0.25) for near in lit]
        ax.scatter(group["y_um"], group["z_um"], s=np.where(lit, 20, 12), c=shades, marker=marker, lw=0.8, zorder=2)
    if chosen is not None:
        here = neurons.loc[chosen, ["y_um", "z_um"]]
        ax.scatter(*here, s=110, facecolors="none", edgecolors=palette.INK, linewidth=1.5, zorder=3)
        name = ax.annotate(chosen, here, xytext=(0, 10), textcoords="offset points", ha="center", fontsize=9, zorder=4)
        name.set_path_effects([withStroke(linewidth=3, foreground=palette.PAPER)])
    ax.set(xlabel="position along the body, µm (head left)", ylabel="height, µm")
    ax.autoscale_view()
    return ax


def worm(neurons, edges=None, chosen=None, width=8.5):
    """The whole worm above, and its crowded head enlarged below.

    Args:
        neurons, edges, chosen: as for :func:`body_map`.
        width: in inches.

    Returns:
        A figure.
    """
    fig, (whole, head) = figure(width, 0.55 * width, rows=2, layout=None, height_ratios=(1, 1.35))
    fig.subplots_adjust(left=0.09, right=0.98, top=0.92, bottom=0.11, hspace=0.35)
    for ax in (whole, head):
        body_map(ax, neurons, edges, chosen)
    whole.set(xlabel="", xticks=range(-300, 500, 100), yticks=(-50, 0, 50))
    head.set(xlim=(-320, -225), ylim=(5, 65), xticks=range(-320, -220, 20), yticks=(20, 40, 60))
    head.set_title("the head, enlarged", loc="left", fontsize=9)
    count = neurons["type"].value_counts()
    key = [
        Line2D([], [], linestyle="", marker=marker, color=colour, markersize=5, label=f"{name} ({count.get(name, 0)})")
        for name, (colour, marker) in palette.NEURON_TYPES.items()
    ]
    fig.legend(handles=key, loc="upper center", ncols=5, frameon=False, fontsize=8)
    return fig


def spring(ax, graph, bold=(), seed=1):
    """Draw a worm's wiring as a graph whose connections pull and whose neurons push each other away.

    Args:
        ax: Axes to draw into.
        graph: networkx graph with the node attribute type.
        bold: connections (a, b) to draw bold, with the names of their neurons.
        seed: seed of the layout.
    """
    graph = nx.Graph(graph)
    place = nx.spring_layout(graph, seed=seed)
    lines = [(place[a], place[b]) for a, b in graph.edges]
    ax.add_collection(LineCollection(lines, colors=palette.QUIET, linewidths=0.3, alpha=0.25, zorder=1))
    ax.add_collection(LineCollection([(place[a], place[b]) for a, b in bold], colors=palette.INK, linewidths=1.5))
    for name, (colour, marker) in palette.NEURON_TYPES.items():
        points = np.array([place[neuron] for neuron, kind in graph.nodes(data="type") if kind == name])
        ax.scatter(*points.reshape(-1, 2).T, s=18, color=colour, marker=marker, linewidth=0.8, zorder=2, label=name)
    for k, neuron in enumerate(sorted({neuron for edge in bold for neuron in edge})):
        offset = (0, 6 if k % 2 == 0 else -14)  # by turns above and below: the names come in pairs, left and right
        text = ax.annotate(neuron, place[neuron], xytext=offset, textcoords="offset points", ha="center", fontsize=9)
        text.set_path_effects([withStroke(linewidth=3, foreground=palette.PAPER)])
    ax.axis("off")
    return ax


def labelled_points(ax, x, y, names, colour=palette.BLUE):
    """Draw points with a name beside each.

    Args:
        ax: Axes to draw into.
        x, y: one number a point.
        names: one name a point.
        colour: of the points.
    """
    ax.plot(x, y, "o", color=colour, markersize=5)
    for k, (name, *place) in enumerate(zip(names, x, y, strict=True)):
        # by turns on the right above and on the left below, so that neighbours' names keep apart
        offset, side = ((5, 4), "left") if k % 2 == 0 else ((-4, -10), "right")
        ax.annotate(name, place, xytext=offset, textcoords="offset points", ha=side, fontsize=8, color=palette.INK)
    return ax


def degrees(ax, degrees_by_name, styles):
    """Draw how many units have at least k connections, on two logarithmic axes.

    Args:
        ax: Axes to draw into.
        degrees_by_name: {label: array of degrees, or list of arrays from repeated draws (drawn as a band)}.
        styles: {label: colour}.
    """
    n, largest = 1, 1
    for label, values in degrees_by_name.items():
        draws = [np.asarray(draw) for draw in (values if isinstance(values, list) else [values])]
        n, largest = max(n, draws[0].size), max(largest, *(int(draw.max()) for draw in draws))
        k = np.arange(1, max(draw.max() for draw in draws) + 1)
        fractions = np.array([[np.mean(draw >= step) for step in k] for draw in draws])
        if len(draws) > 1:
            low, high = np.percentile(fractions, [2.5, 97.5], axis=0)
            ax.fill_between(k, low, high, color=styles[label], alpha=0.25, linewidth=0, step="mid")
        ax.step(k, fractions.mean(axis=0), where="mid", color=styles[label], linewidth=1.8, label=label)
    ax.set(xscale="log", yscale="log", xlabel="k connections", ylabel="neurons with at least k, %")
    ax.set(xlim=(0.9, 1.2 * largest), ylim=(0.5 / n, 1.5))
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:.0f}")
    ax.yaxis.set_major_formatter(PercentFormatter(1, symbol=""))
    ax.minorticks_off()
    ax.legend(frameon=False, fontsize=9)
    return ax


def table_of_shades(ax, table, colour_label):
    """Draw a data frame of fractions as shaded cells with the per cent written in.

    Args:
        ax: Axes to draw into.
        table: data frame of numbers between 0 and 1; its index and columns name the axes.
        colour_label: what the numbers are.
    """
    values = table.to_numpy(dtype=float)
    ax.pcolormesh(values, cmap="Blues", vmin=0, vmax=max(values.max(), 1e-9), edgecolors=palette.PAPER, linewidth=2)
    for (i, j), value in np.ndenumerate(values):
        colour = palette.PAPER if value > 0.55 * values.max() else palette.INK
        ax.text(j + 0.5, i + 0.5, f"{value:.1%}", ha="center", va="center", fontsize=9, color=colour)
    ax.set_xticks(np.arange(len(table.columns)) + 0.5, table.columns)
    ax.set_yticks(np.arange(len(table.index)) + 0.5, table.index)
    ax.set(ylim=(len(table.index), 0), xlabel=table.columns.name, ylabel=table.index.name, title=colour_label)
    ax.title.set_size(10)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


# ------------------------------------------------------------------------------------------------- penalties


def falling(ax, label, high, low):
    """Make the horizontal axis logarithmic and let it fall from left to right, with plain numbers at 1, 2 and 5.

    Args:
        ax: Axes to set up.
        label: of the axis.
        high, low: its left and its right end.
    """
    ax.set(xscale="log", xlim=(high, low), xlabel=label)
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    return ax


def priced(ax, wanted, strength, power):
    """Draw what one weight costs: its error (w - wanted)² / 2, the price λ |w|^p / p, and their sum with its minimum.

    Args:
        ax: Axes to draw into.
        wanted: the weight at which the error is zero.
        strength: λ.
        power: p, 1 for L1 or 2 for L2.
    """
    w = np.linspace(-1, 2, 301)
    error, price = (w - wanted) ** 2 / 2, strength * np.abs(w) ** power / power
    best = np.sign(wanted) * max(abs(wanted) - strength, 0) if power == 1 else wanted / (1 + strength)
    cost = (best - wanted) ** 2 / 2 + strength * abs(best) ** power / power
    ax.axvline(0, color=palette.FAINT, linewidth=0.8)
    ax.plot(w, error, color=palette.QUIET, linestyle="--", linewidth=1.2, label="error")
    ax.plot(w, price, color=palette.QUIET, linestyle=":", linewidth=1.4, label="price")
    ax.plot(w, error + price, color=palette.METHODS["L1"][0] if power == 1 else palette.BLUE, linewidth=2, label="sum")
    ax.plot(best, cost, "o", color=palette.INK, markersize=7, zorder=3)
    halo = [withStroke(linewidth=3, foreground=palette.PAPER)]
    below = {"xytext": (0, -17), "textcoords": "offset points", "ha": "center", "path_effects": halo}
    ax.annotate(f"w = {best:.2f}", (best, cost), fontsize=9, **below)
    ax.set(xlim=(-1, 2), ylim=(-0.35, 2.2), xlabel="weight w", title="L1: λ |w|" if power == 1 else "L2: λ w² / 2")
    return ax


# ------------------------------------------------------------------------------------------------- pruning


def cut_histogram(ax, weights, kept):
    """Histogram of weights, those that are cut in grey.

    Args:
        ax: Axes to draw into.
        weights: array of any shape.
        kept: mask of the same shape.
    """
    weights, kept = np.ravel(weights), np.ravel(kept).astype(bool)
    edges = np.linspace(-1, 1, 81) * np.abs(weights).max()
    for chosen, colour, hatch, label in (
        (kept, palette.BLUE, None, "kept"),
        (~kept, palette.FAINT, "////", "cut"),
    ):
        ax.hist(
            weights[chosen], edges, histtype="stepfilled", color=colour, edgecolor=palette.INK, linewidth=0.5,
            hatch=hatch, label=label,
        )  # fmt: skip
    ax.legend(frameon=False, fontsize=9, loc="upper left")
    ax.set(xlabel="weight", ylabel="number of weights", ylim=(0, None))
    return ax


def moved(ax, before, after):
    """Draw which connections of a layer have moved: stayed in grey, gone in orange, grown in blue, cut ones empty.

    Args:
        ax: Axes to draw into.
        before, after: masks (out, in).
    """
    before, after = (np.asarray(S).astype(bool) for S in (before, after))
    kinds = np.select([before & after, before & ~after, after & ~before], [1, 2, 3], 0)
    colours = ListedColormap([palette.PAPER, "#a8a8a8", palette.ORANGE, palette.BLUE])
    ax.imshow(kinds, cmap=colours, vmin=0, vmax=3, aspect="auto", interpolation="nearest")
    ax.spines[["top", "right"]].set_visible(True)
    for place, (name, colour) in enumerate((("stayed", "#6b6b6b"), ("gone", "#a86f00"), ("grown", palette.BLUE))):
        ax.text(place / 3, 1.02, name, transform=ax.transAxes, color=colour, fontsize=10, fontweight="bold")
    return ax


# ------------------------------------------------------------------------------------------------- runs and seeds


def curves(ax, summary, x, line, styles=None, dashed=()):
    """Draw means of repeated runs as lines with their intervals as bands, each line named at its right end.

    Set the scales and limits of the axes before: the names are placed by them.

    Args:
        ax: Axes to draw into.
        summary: data frame from ``measure.intervals``: x, line, mean, low, high.
        x: its column for the horizontal axis.
        line: its column that names the lines.
        styles: {name of a line: (colour, marker)}; None takes ``palette.METHODS``.
        dashed: names of lines to draw dashed with open markers.
    """
    styles = palette.METHODS if styles is None else styles
    ends = []
    for name, points in summary.groupby(line, sort=False):
        points = points.sort_values(x)
        colour, marker = styles[name]
        look = {"linestyle": "--", "markerfacecolor": palette.PAPER} if name in dashed else {}
        ax.fill_between(points[x], points["low"], points["high"], color=colour, alpha=0.2, linewidth=0)
        ax.plot(points[x], points["mean"], color=colour, marker=marker, markersize=5, linewidth=1.6, **look)
        right = points.iloc[0 if ax.xaxis_inverted() else -1]
        ends.append((right["mean"], right[x], name, colour))
    _name_ends(ax, ends)
    return ax


def ranked(ax, summary, by, styles=None):
    """Draw means of repeated runs as points with their intervals as bars, a line a setting, the first one on top.

    Args:
        ax: Axes to draw into.
        summary: data frame from ``measure.intervals``: by, mean, low, high.
        by: its column that names the settings.
        styles: {name of a setting: (colour, marker)}; those that are missing are drawn in grey, with a dot.
    """
    for place, row in enumerate(summary.itertuples()):
        colour, marker = (styles or {}).get(getattr(row, by), (palette.QUIET, "o"))
        ax.plot([row.low, row.high], [place, place], color=colour, linewidth=2.4, solid_capstyle="round", alpha=0.6)
        ax.plot(row.mean, place, marker=marker, color=colour, markersize=6)
    ax.set_yticks(range(len(summary)), summary[by])
    ax.set_ylim(len(summary) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color=palette.FAINT, linewidth=0.6)
    ax.set_axisbelow(True)
    return ax


def _name_ends(ax, ends):
    """Write each line's name right of its end, moved apart where names would touch; a line that ends early has its
    name at its end."""
    in_axes = ax.transData + ax.transAxes.inverted()
    placed = [(*in_axes.transform((x, y)), x, y, name, colour) for y, x, name, colour in ends]
    for across, height, x, y, name, _ in placed:
        if across < EARLY:
            below = {"xytext": (0, 7 if height < 0.5 else -7), "va": "bottom" if height < 0.5 else "top"}
            ax.annotate(name, (x, y), textcoords="offset points", ha="right", fontsize=9, color=palette.INK, **below)
    at_the_edge = sorted((entry for entry in placed if entry[0] >= EARLY), key=lambda entry: entry[1])
    heights = [height for _, height, *_ in at_the_edge]
    gap = 0.2 / (ax.get_position().height * ax.figure.get_figheight())  # a line of text, as a fraction of the axes
    for _ in range(200):  # push neighbours apart by halves until all have room
        for k in range(len(heights) - 1):
            if (overlap := gap - (heights[k + 1] - heights[k])) > 1e-9:
                heights[k], heights[k + 1] = heights[k] - overlap / 2, heights[k + 1] + overlap / 2
    for height, (*_, x, y, name, colour) in zip(heights, at_the_edge, strict=True):
        ax.annotate(
            name,
            (x, y),
            xytext=(1.03, height),
            textcoords="axes fraction",
            va="center",
            fontsize=9,
            color=palette.INK,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 1, "shrinkA": 1, "shrinkB": 4},
            annotation_clip=False,
        )


# ------------------------------------------------------------------------------------------------- the capstone


def circuit(ax, W, S, layers, inputs=None, activity=None):
    """Draw a recurrent circuit in columns, inputs left and motor right; a connection within a column is an arc.

    A neuron without any connection is left out.

    Args:
        ax: Axes to draw into.
        W: weights, (neurons, inputs + neurons).
        S: mask of the same shape.
        layers: {name of a column: number of neurons}, in the order of the rows of W.
        inputs, activity: values of the inputs and states of the neurons, to colour them by from -1 to 1, or None.
    """
    W, S = np.asarray(W, dtype=float), np.asarray(S, dtype=bool)
    neurons, heard = W.shape
    n_in = heard - neurons
    columns = {"inputs": n_in, **layers}
    places = np.concatenate(
        [
            np.stack([np.full(count, column), (count - 1) / 2 - np.arange(count)], axis=1) * (1, 1 / max(count, 2))
            for column, count in enumerate(columns.values())
        ]
    )
    scale = weight_scale([W[S]])
    kept = np.argwhere(S)
    kept = kept[np.argsort(np.abs(W[S]), kind="stable")]
    bend = np.linspace(0, 1, 7)[:, None]
    bulge = np.hstack([1.1 * bend * (1 - bend), 0 * bend])  # an arc to the right, within a column
    ends = [(places[source], places[n_in + to]) for to, source in kept]
    lines = [a + bend * (b - a) + bulge if a[0] == b[0] else np.stack([a, b]) for a, b in ends]
    ax.add_collection(
        LineCollection(
            lines,
            colors=palette.WEIGHTS(scale(W[tuple(kept.T)])),
            linewidths=0.4 + 1.8 * np.abs(W[tuple(kept.T)]) / scale.vmax,
            alpha=0.75,
            zorder=1,
        )
    )
    seen = np.zeros(n_in) if inputs is None else np.clip(inputs, -1, 1)
    shades = {"cmap": palette.WEIGHTS, "vmin": -1, "vmax": 1, "edgecolors": palette.INK, "zorder": 2}
    ax.scatter(*places[:n_in].T, c=seen, s=18, marker="^", linewidth=0.6, **shades)
    used = S.any(axis=1) | S[:, n_in:].any(axis=0)
    states = np.zeros(neurons) if activity is None else np.asarray(activity)
    ax.scatter(*places[n_in:][used].T, c=states[used], s=90, linewidth=0.8, **shades)
    drawn = [n_in, *(int(part.sum()) for part in np.split(used, np.cumsum(list(layers.values()))[:-1]))]
    for column, (name, count) in enumerate(zip(columns, drawn, strict=True)):
        if count:
            ax.text(column, -0.62, f"{count} {name}", ha="center", va="top", fontsize=8)
    ax.set(xlim=(-0.15, len(columns) - 0.75), ylim=(-0.72, 0.52))
    ax.axis("off")
    return ax


def view_from_above(ax, curvature, offset, heading, step, ahead=60, behind=20, length=0.1, half_lane=1.0):
    """Draw a car on its road, seen from above, the road's direction at the car pointing up.

    Args:
        ax: Axes to draw into.
        curvature: of the road, 1/m, a number a step.
        offset, heading: of the car, m and rad to the left, at this step.
        step: where on the road the car is.
        ahead, behind: steps of road to draw.
        length: m of road a step.
        half_lane: m.
    """
    stretch = np.arange(step - behind, step + ahead)
    bends = np.where((stretch >= 0) & (stretch < len(curvature)), curvature[np.clip(stretch, 0, len(curvature) - 1)], 0)
    direction = np.cumsum(bends) * length
    direction -= direction[behind]
    middle = np.cumsum(length * np.stack([-np.sin(direction), np.cos(direction)], axis=1), axis=0)
    middle -= middle[behind]
    across = np.stack([-np.cos(direction), -np.sin(direction)], axis=1)  # to the left
    for side in (half_lane, -half_lane):
        ax.plot(*(middle + side * across).T, color=palette.INK, linewidth=1.6)
    ax.plot(*middle.T, color=palette.FAINT, linewidth=1, linestyle="--")
    off_road = abs(offset) > half_lane
    nose = np.array([[0, 0.45], [-0.2, -0.3], [0.2, -0.3]])
    turn = np.array([[np.cos(heading), -np.sin(heading)], [np.sin(heading), np.cos(heading)]])
    ax.fill(*(nose @ turn.T + (-offset, 0)).T, color=palette.VERMILION if off_road else palette.BLUE, zorder=3)
    ax.set(xlim=(-4, 4), ylim=(-1.6, 5.2), aspect="equal")
    ax.axis("off")
    return ax


def camera_line(ax, pixels, title=None):
    """Draw one line of a camera, dark to bright.

    Args:
        ax: Axes to draw into.
        pixels: brightness, (pixels,).
        title: what to write above, or None.
    """
    ax.pcolormesh(np.asarray(pixels)[None, :], cmap="gray", vmin=-0.5, vmax=1.2)
    ax.set(xticks=[], yticks=[], title=title)
    ax.title.set_size(9)
    return ax

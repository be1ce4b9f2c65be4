"""Interactive panels. A panel is some controls, one picture and one sentence that follow them.

Plain ipywidgets, no Output widget: a control's change calls ``draw``, and its picture and sentence are set as HTML. So
the panels run alike in JupyterLab, VS Code and Colab, don't flicker, and a test that moves a control sees every error.
"""

import functools
import html
import itertools

import ipywidgets
import numpy as np
import torch
import traitlets

from sparsecourse import (
    circuits,
    connectome,
    driving,
    layers,
    masks,
    measure,
    methods,
    palette,
    plots,
    storage,
    tables,
    tasks,
    training,
)

FONT = "font-size: 14px; line-height: 1.5"


def panel(controls, draw, layout=None):
    """A panel that redraws whenever one of its controls changes.

    Args:
        controls: {argument of draw: widget with a ``value``}.
        draw: called with the controls' values; returns (figure, alternative text, sentence to show below).
        layout: widget that shows the controls; None puts them into a row.

    Returns:
        An ``ipywidgets.VBox``; its attribute ``controls`` is the dictionary given.
    """
    picture, sentence = ipywidgets.HTML(), ipywidgets.HTML()

    def redraw(_change=None):
        fig, alt, words = draw(**{name: control.value for name, control in controls.items()})
        picture.value = plots.image_html(fig, alt)
        sentence.value = f'<div role="status" style="{FONT}">{html.escape(words)}</div>'

    for control in controls.values():
        control.observe(redraw, names="value")
    redraw()
    if layout is None:
        layout = ipywidgets.HBox(
            [with_text_box(control) for control in controls.values()], layout=ipywidgets.Layout(flex_flow="row wrap")
        )
    box = ipywidgets.VBox([layout, picture, sentence])
    box.controls = controls
    return box


def slider(label, value, low, high, step):
    """A slider without its own read-out; :func:`panel` sets a text box beside it, which a keyboard reaches."""
    whole = all(isinstance(number, int) for number in (value, low, high, step))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    return kind(
        value=value,
        min=low,
        max=high,
        step=step,
        description=label,
        readout=False,
        style={"description_width": "initial"},
        layout=ipywidgets.Layout(width="300px"),
    )


def with_text_box(control):
    """A slider with a text box of the same value; any other control as it is."""
    if isinstance(control, ipywidgets.IntSlider):
        kind = ipywidgets.BoundedIntText
    elif isinstance(control, ipywidgets.FloatSlider):
        kind = ipywidgets.BoundedFloatText
    else:
        return control
    box = kind(
        value=control.value,
        min=control.min,
        max=control.max,
        step=control.step,
        layout=ipywidgets.Layout(width="80px"),
    )
    traitlets.link((control, "value"), (box, "value"))
    return ipywidgets.HBox([control, box])


# ---------------------------------------------------------------------------------------------------- lesson 00


def random_network(sizes=(8, 6, 6, 3), seed=0):
    """Weights of a network drawn at random, one matrix (out, in) a layer.

    Args:
        sizes: units of each layer from input to output.
        seed: seed of the weights.
    """
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n_out, n_in)) for n_in, n_out in itertools.pairwise(sizes)]


def thinning(weights=None):
    """A network thins out as a slider moves: its weakest weights go first.

    Args:
        weights: one matrix (out, in) a layer; None takes :func:`random_network`.
    """
    weights = random_network() if weights is None else weights
    return panel({"cut": slider("weights cut, %", 50, 0, 99, 1)}, lambda cut: thinned(weights, cut))


def thinned(weights, cut):
    """The picture of the thinning panel.

    Args:
        weights: one matrix (out, in) a layer.
        cut: weights to cut, in per cent of all.

    Returns:
        (figure, alternative text, sentence).
    """
    flat = np.concatenate([W.ravel() for W in weights])
    kept = masks.magnitude(flat, cut / 100)
    parts = np.split(kept, np.cumsum([W.size for W in weights])[:-1])
    S = [part.reshape(W.shape) for part, W in zip(parts, weights, strict=True)]
    fig, ax = plots.figure(6.5, 3.2)
    plots.network(ax, weights, S)
    words = f"{kept.sum()} of {kept.size} weights are left: sparsity {measure.sparsity(kept):.1%}."
    return fig, f"A network of {len(weights) + 1} columns of units with its weakest weights cut. {words}", words


# ---------------------------------------------------------------------------------------------------- lesson 01


def one_layer(W=((0.9, -0.5, 0.0, 0.4), (0.3, 0.8, -0.7, 0.0), (-0.6, 0.2, 0.5, 1.0))):
    """Move the inputs of one layer and watch every term of every output.

    Args:
        W: weights, (out, in).
    """
    W = np.array(W, dtype=float)
    controls = {f"x{j + 1}": slider(f"x{j + 1}", 1.0, -2.0, 2.0, 0.1) for j in range(W.shape[1])}
    return panel(controls, lambda **x: layer_terms(W, np.array(list(x.values()))))


def layer_terms(W, x):
    """The picture of the one-layer panel: diagram with its values, and the terms W[i, j] x[j] of each output.

    Returns:
        (figure, alternative text, sentence).
    """
    y = W @ x
    fig, (left, right) = plots.figure(8.0, 3.0, columns=2, width_ratios=(1, 1.25))
    plots.network(left, [W], values=[x, y])
    plots.terms(right, W, x)
    words = "; ".join(f"y{i + 1} = {value:.2f}" for i, value in enumerate(y))
    inputs = ", ".join(f"x{j + 1} = {value:.1f}" for j, value in enumerate(x))
    return fig, f"A layer with inputs {inputs}. {words}.", f"{words}."


# ---------------------------------------------------------------------------------------------------- lesson 02


def paint_mask(shape=(3, 4), seed=1):
    """Click the entries of a mask: the diagram loses edges and the numbers follow.

    Args:
        shape: shape of the layer, (out, in).
        seed: seed of the weights.
    """
    W = np.random.default_rng(seed).normal(size=shape)
    controls = {}
    for i, j in np.ndindex(*shape):
        controls[f"{i},{j}"] = ipywidgets.ToggleButton(
            value=True,
            description=f"{W[i, j]:.1f}",
            tooltip=f"weight from input {j + 1} to output {i + 1}: pressed is kept",
            layout=ipywidgets.Layout(width="56px"),
        )
    grid = ipywidgets.GridBox(
        list(controls.values()), layout=ipywidgets.Layout(grid_template_columns=f"repeat({shape[1]}, 60px)")
    )
    words = "Rows are outputs, columns are inputs. A pressed button keeps its weight."
    heading = ipywidgets.HTML(f'<div style="{FONT}">{words}</div>')

    def draw(**pressed):
        return painted(W, np.array(list(pressed.values()), dtype=int).reshape(shape))

    return panel(controls, draw, ipywidgets.VBox([heading, grid]))


def painted(W, S):
    """The picture of the mask painter.

    Returns:
        (figure, alternative text, sentence).
    """
    kept, n = int(S.sum()), S.size
    compression = measure.compression(S)
    words = (
        f"{kept} of {n} kept: sparsity {measure.sparsity(S):.1%}, density {measure.density(S):.1%}, "
        f"compression {f'{compression:.1f}×' if kept else 'infinite'}."
    )
    idle = {"Inputs that nothing uses": measure.unused_inputs(S), "Dead outputs": measure.dead_outputs(S)}
    for what, units in idle.items():
        if units:
            words += f" {what}: {', '.join(str(unit + 1) for unit in units)}."
    return plots.layer(W, S), f"A layer of {S.shape[1]} inputs and {S.shape[0]} outputs. {words}", words


# ---------------------------------------------------------------------------------------------------- lesson 03


def small_matrix(shape=(6, 8), seed=2):
    """A matrix of whole numbers from -9 to 9 without a zero.

    Args:
        shape: (out, in).
        seed: seed of the numbers.
    """
    rng = np.random.default_rng(seed)
    return rng.integers(1, 10, size=shape) * rng.choice([-1, 1], size=shape)


def packing(W=None):
    """Cut weights and watch the three lists of CSR shrink.

    Args:
        W: weights, (out, in), whole numbers; None takes :func:`small_matrix`.
    """
    W = small_matrix() if W is None else W
    return panel({"cut": slider("weights cut, %", 75, 50, 96, 2)}, lambda cut: packed(W, cut))


def packed(W, cut):
    """The picture of the packing panel: a matrix, its three CSR lists, and the bytes of both.

    Args:
        W: weights, (out, in); small, whole numbers.
        cut: weights to cut, in per cent.

    Returns:
        (figure, alternative text, sentence).
    """
    S = masks.magnitude(W, cut / 100)
    kept, dense = int(S.sum()), 4 * W.size
    packed_bytes = 8 * kept + 4 * (len(W) + 1)
    words = (
        f"{kept} of {W.size} weights are left. Dense: {dense} bytes. CSR: {kept} values and {kept} columns of 4 bytes "
        f"each, and {len(W) + 1} starts, {packed_bytes} bytes, {packed_bytes / dense:.2f} of the dense matrix."
    )
    return plots.packed(W, S), f"A matrix and the three lists that store it without its zeros. {words}", words


# ---------------------------------------------------------------------------------------------------- lesson 04


def worm_map(dataset="cook2019", neuron="AVAL"):
    """The worm's map: pick a neuron and see its partners; raise the threshold and see which connections stay.

    Args:
        dataset: a key of ``connectome.DATASETS``.
        neuron: the neuron to begin with.
    """
    worm = connectome.load(dataset)
    worm.index(neuron)
    choice = ipywidgets.Dropdown(
        options=sorted(worm.neurons.index),
        value=neuron,
        description="neuron",
        layout=ipywidgets.Layout(width="200px"),
    )
    kind = ipywidgets.Dropdown(
        options=list(connectome.KINDS), value="chemical", description="kind", layout=ipywidgets.Layout(width="200px")
    )
    threshold = slider("weight at least", 1, 1, 30, 1)
    edges = {k: worm.edges(k) for k in connectome.KINDS}

    def draw(neuron, kind, threshold):
        return neighbourhood(worm, edges[kind], neuron, kind, threshold)

    return panel({"neuron": choice, "kind": kind, "threshold": threshold}, draw)


def neighbourhood(worm, edges, neuron, kind="chemical", threshold=1):
    """The picture of the worm's map: one neuron with the partners it has above a threshold.

    Args:
        worm: a ``connectome.Connectome``.
        edges: data frame pre, post, weight.
        neuron: name of the neuron.
        kind: what kind of connection ``edges`` holds, for the words.
        threshold: smallest weight that counts.

    Returns:
        (figure, alternative text, sentence).
    """
    strong = edges[edges["weight"] >= threshold]
    own = strong[(strong["pre"] == neuron) | (strong["post"] == neuron)]
    fig = plots.worm(worm.neurons, own, chosen=neuron)
    sends, receives = (own["pre"] == neuron).sum(), (own["post"] == neuron).sum()
    n = len(worm.neurons)
    words = (
        f"{neuron} ({worm.neurons.loc[neuron, 'type']}) sends to {sends} neurons (orange) and hears {receives} (blue). "
        f"In the whole worm {len(strong):,} {kind} connections weigh at least {threshold} ({worm.units[kind]}): "
        f"sparsity {1 - len(strong) / n**2:.1%}."
    )
    return fig, f"Map of the worm's body with the partners of {neuron}. {words}", words


# ---------------------------------------------------------------------------------------------------- lesson 05


def penalties(wanted=0.8):
    """Raise the price of one weight and watch where the cheapest value goes, under L1 and under L2.

    Args:
        wanted: the weight that the data alone would choose.
    """
    return panel({"strength": slider("strength λ", 0.3, 0.0, 1.2, 0.05)}, lambda strength: penalised(strength, wanted))


def penalised(strength, wanted=0.8):
    """The picture of the penalty panel.

    Args:
        strength: λ.
        wanted: the weight that the data alone would choose.

    Returns:
        (figure, alternative text, sentence).
    """
    fig, (left, right) = plots.figure(7.5, 2.9, columns=2, layout=None, sharey=True)
    fig.subplots_adjust(left=0.09, right=0.98, top=0.9, bottom=0.17, wspace=0.16)
    plots.priced(left, wanted, strength, power=1)
    plots.priced(right, wanted, strength, power=2)
    left.set_ylabel("cost")
    left.legend(frameon=False, fontsize=8, loc="upper center", ncols=3)
    l1, l2 = max(wanted - strength, 0), wanted / (1 + strength)
    words = f"λ = {strength:.2f}. Cheapest weight: {l1:.2f} under L1, {l2:.2f} under L2; without a price {wanted:.2f}."
    return fig, f"The cost of one weight, error plus price, as a curve with its minimum marked. {words}", words


# ---------------------------------------------------------------------------------------------------- lesson 06


CUTS = range(0, 100, 4)  # per cent


@functools.cache
def small_network():
    """A network 40-100-100-10 trained on MNIST-1D on the spot, which takes a second or two, and its accuracies.

    Returns:
        (weights of all layers as one array, {per cent of weights cut: validation accuracy}).
    """
    task = tasks.mnist1d()
    (network,) = training.train([layers.mlp((40, 100, 100, 10), seed=0)], task, steps=800).networks
    matrices = measure.used_weights(network).values()
    weights = np.concatenate([measure.from_tensor(W).ravel() for W in matrices])
    accuracy = {}
    for cut in CUTS:
        methods.cut(network, cut / 100)
        (accuracy[cut],) = training.score([network], task, "validation")
    return weights, accuracy


def pruning():
    """Cut a trained network's smallest weights and watch its accuracy, without training it again."""
    small_network()
    return panel({"cut": slider("weights cut, %", 60, 0, 96, 4)}, pruned)


def pruned(cut):
    """The picture of the pruning panel.

    Args:
        cut: weights to cut, in per cent, a multiple of 4.

    Returns:
        (figure, alternative text, sentence).
    """
    weights, accuracy = small_network()
    fig, (left, right) = plots.figure(8.0, 3.0, columns=2, layout=None)
    fig.subplots_adjust(left=0.09, right=0.98, top=0.96, bottom=0.17, wspace=0.25)
    plots.cut_histogram(left, weights, masks.magnitude(weights, cut / 100))
    colour, marker = palette.METHODS["one-shot"]
    right.plot(list(accuracy), [100 * value for value in accuracy.values()], color=colour, linewidth=1.6)
    right.plot(cut, 100 * accuracy[cut], marker=marker, color=palette.INK, markersize=9)
    right.set(xlabel="weights cut, %", ylabel="validation accuracy, %", xlim=(-2, 100), ylim=(0, 70))
    words = f"{cut} % of the weights cut: accuracy {accuracy[cut]:.1%}. Nothing cut: {accuracy[0]:.1%}."
    return fig, f"A histogram of a network's weights with the small ones cut, and its accuracy. {words}", words


# ---------------------------------------------------------------------------------------------------- lesson 07


def neighbourhoods(shape=(12, 18)):
    """Widen the windows of a local layer, and move some of its connections to random places.

    Args:
        shape: shape of the layer, (out, in).
    """
    controls = {
        "fan_in": slider("inputs of each output", 4, 1, shape[1] - 2, 1),
        "moved": slider("connections moved, %", 0, 0, 100, 5),
    }
    return panel(controls, lambda fan_in, moved: neighbourhood_layer(shape, fan_in, moved))


def neighbourhood_layer(shape, fan_in, moved):
    """The picture of the neighbourhood panel.

    Args:
        shape: shape of the layer, (out, in).
        fan_in: inputs of each output.
        moved: connections to move to random places, in per cent.

    Returns:
        (figure, alternative text, sentence).
    """
    S = masks.small_world(shape, fan_in, moved / 100, seed=0)
    W = np.random.default_rng(1).normal(size=shape)
    n_out, n_in = shape
    old = masks.local(shape, fan_in)
    words = (
        f"{n_out} outputs hear {fan_in} of {n_in} inputs each: sparsity {measure.sparsity(S):.1%}. "
        f"{int((S * old).sum())} of {int(S.sum())} connections lie in their window."
    )
    if idle := measure.unused_inputs(S):
        words += f" Inputs that nobody hears: {', '.join(str(unit + 1) for unit in idle)}."
    fig, (left, right) = plots.figure(8.0, 3.4, columns=2, layout=None)
    fig.subplots_adjust(left=0.02, right=0.99, top=0.97, bottom=0.14, wspace=0.12)
    scale = plots.weight_scale([W])
    plots.network(left, [W], [S], labels=False, scale=scale)
    plots.matrix(right, W, S, numbers=False, scale=scale)
    return fig, f"A layer whose outputs hear neighbouring inputs, as a diagram and as a matrix. {words}", words


# ---------------------------------------------------------------------------------------------------- lesson 08


def how_many_seeds():
    """Take more and more of the recorded seeds into account, and watch the intervals of all ways."""
    level = ipywidgets.Dropdown(
        options=[(f"{percent} %", percent / 100) for percent in (50, 70, 80, 90, 95)],
        value=0.9,
        description="sparsity",
        layout=ipywidgets.Layout(width="200px"),
    )
    return panel({"seeds": slider("seeds", 2, 2, 10, 1), "level": level}, so_many_seeds)


@functools.cache
def recorded_accuracies():
    """Test accuracies of the recorded sweep on MNIST-1D, 256 units: data frame method, level, seed, test_accuracy."""
    table = tables.read("results", "three_ways_256")
    return table[(table["width"] == 256) & ~table["shuffled"] & (table["method"] != "L1")]


def so_many_seeds(seeds, level=0.9):
    """The picture of the seeds panel.

    Args:
        seeds: how many of the recorded seeds to take, from 2 to 10.
        level: sparsity asked for.

    Returns:
        (figure, alternative text, sentence).
    """
    table = recorded_accuracies()
    shown = table[table["level"].isin([0, level]) & (table["seed"] < seeds)]
    summary = measure.intervals(shown, "method", "test_accuracy").sort_values("mean", ascending=False)
    fig, ax = plots.figure(6.5, 2.9, layout=None)
    fig.subplots_adjust(left=0.15, right=0.97, top=0.97, bottom=0.18)
    plots.ranked(ax, summary, "method", palette.METHODS)
    ax.set(xlabel="test accuracy", xlim=(0.3, 1))
    first, second = summary.iloc[0], summary.iloc[1]
    apart = "do not overlap" if first["low"] > second["high"] else "overlap"
    words = (
        f"{seeds} seeds: {first['method']} {first['mean']:.3f} ({first['low']:.3f} to {first['high']:.3f}), "
        f"{second['method']} {second['mean']:.3f} ({second['low']:.3f} to {second['high']:.3f}). These two {apart}."
    )
    alt = f"Test accuracy of a dense and {len(summary) - 1} sparse networks at {level:.0%} with 95 % intervals. {words}"
    return fig, alt, words


# ---------------------------------------------------------------------------------------------------- lesson 09


STEPS_BEHIND = 100
OPTIMISERS = {
    "SGD": lambda parameters: torch.optim.SGD(parameters, lr=0.05),
    "SGD, momentum and decay": lambda parameters: torch.optim.SGD(parameters, lr=0.05, momentum=0.9, weight_decay=0.01),
    "Adam": lambda parameters: torch.optim.Adam(parameters, lr=0.01),
    "Adam with L2": lambda parameters: torch.optim.Adam(parameters, lr=0.01, weight_decay=0.01),
    "AdamW": lambda parameters: torch.optim.AdamW(parameters, lr=0.01, weight_decay=0.01),
}


@functools.cache
def trained_behind(optimiser):
    """W of a small sparse layer after each of 100 steps, and its mask.

    Args:
        optimiser: a key of ``OPTIMISERS``.

    Returns:
        (array of 101 matrices (out, in), mask).
    """
    generator = torch.Generator().manual_seed(0)
    x, wanted = torch.randn(64, 8, generator=generator), torch.randn(64, 6, generator=generator)
    (layer,) = layers.mlp((8, 6), seed=0, S=[masks.random((6, 8), 0.5, seed=0)])
    step, history = OPTIMISERS[optimiser](layer.parameters()), [layer.weight.detach().clone()]
    for _ in range(STEPS_BEHIND):
        step.zero_grad()
        (layer(x) - wanted).square().mean().backward()
        step.step()
        history.append(layer.weight.detach().clone())
    return torch.stack(history).numpy(), layer.S.numpy()


def behind_the_mask():
    """Train a small sparse layer and watch what its W holds where the mask is zero."""
    optimiser = ipywidgets.Dropdown(
        options=list(OPTIMISERS),
        value="Adam with L2",
        description="optimiser",
        layout=ipywidgets.Layout(width="300px"),
    )
    return panel({"steps": slider("steps", 20, 0, STEPS_BEHIND, 5), "optimiser": optimiser}, hidden_weights)


def hidden_weights(steps, optimiser):
    """The picture of the panel behind the mask: W with its hidden entries marked, and their size along the steps.

    Args:
        steps: from 0 to 100.
        optimiser: a key of ``OPTIMISERS``.

    Returns:
        (figure, alternative text, sentence).
    """
    fig, (left, right) = plots.figure(8.4, 3.0, columns=2, layout=None, width_ratios=(1, 1.05))
    fig.subplots_adjust(left=0.06, right=0.85, top=0.96, bottom=0.17, wspace=0.22)
    ends = {}  # names of the lines that end at a height
    for name in OPTIMISERS:
        W, S = trained_behind(name)
        size = np.sqrt((W[:, S == 0] ** 2).mean(axis=1))
        chosen = name == optimiser
        right.plot(
            100 * size / size[0],
            color=palette.BLUE if chosen else palette.QUIET,
            linewidth=2.4 if chosen else 0.9,
            zorder=3 if chosen else 2,
        )
        ends.setdefault(round(size[-1] / size[0], 1), []).append(name)
        if chosen:
            right.plot(
                steps, 100 * size[steps] / size[0], "o", color=palette.INK, markersize=7, zorder=4, clip_on=False
            )
            now, left_over = W[steps], size[steps] / size[0]
    for height, names in ends.items():
        label = "\n".join(names).replace(", ", ",\n").replace(" and ", "\nand ")
        right.text(STEPS_BEHIND + 2, 100 * height, label, va="center", fontsize=8)
    plots.hidden(left, now, S)
    right.set(xlim=(0, STEPS_BEHIND), ylim=(0, 110), xlabel="step", ylabel="hidden weights, % of start")
    words = (
        f"{optimiser}, {steps} steps: behind the mask lie {int((now[S == 0] != 0).sum())} of {int((S == 0).sum())} "
        f"weights that are not zero; their root mean square is {left_over:.1%} of what it was."
    )
    return (
        fig,
        f"A weight matrix with the entries behind its mask marked, and their size along the steps. {words}",
        words,
    )


# ---------------------------------------------------------------------------------------------------- lesson 10


@functools.cache
def this_machine():
    """The rates of this machine, measured once in half a second."""
    return storage.measure_machine()


def where_zeros_pay():
    """Choose a layer's size and the number of examples; see from which sparsity on CSR is predicted to be faster."""
    this_machine()
    controls = {"units": slider("units", 1024, 128, 4096, 128), "batch": slider("batch", 64, 1, 256, 1)}
    return panel(controls, predicted_to_pay)


def predicted_to_pay(units, batch, machine=None):
    """The picture of the panel where zeros pay: predicted times of a square layer against its sparsity.

    Args:
        units: inputs and outputs.
        batch: examples a call.
        machine: a ``storage.Machine``; None takes this one.

    Returns:
        (figure, alternative text, sentence).
    """
    machine = machine or this_machine()
    sparsities = np.linspace(0, 1, 101)
    dense, _ = storage.predict(machine, units, units, 0, batch)
    csr = np.array([storage.predict(machine, units, units, sparsity, batch)[1] for sparsity in sparsities]) / dense
    crossing = storage.predicted_to_pay_from(machine, units, units, batch)
    fig, ax = plots.figure(6.5, 3.0, layout=None)
    fig.subplots_adjust(left=0.11, right=0.9, top=0.96, bottom=0.17)
    ax.set(xlim=(0, 1), ylim=(0, 7), xlabel="sparsity", ylabel="time, dense = 1")
    ax.plot([0, 1], [1, 1], color=palette.LAYOUTS["dense"][0], linewidth=1.6)
    ax.text(1.01, 1, "dense", va="center", fontsize=9)
    ax.plot(sparsities, csr, color=palette.LAYOUTS["csr"][0], linewidth=2)
    visible = int(np.argmax(csr < 6.6))  # the first point inside of the axes
    if csr[visible] < 6.6:
        at = (sparsities[visible], csr[visible])
        ax.annotate("CSR", at, xytext=(6, 4), textcoords="offset points", fontsize=9)
    else:
        ax.text(0.02, 6.6, f"CSR lies above, at {csr[-1]:.0f} and more", va="top", fontsize=9)
    words = f"{units} × {units}, batch {batch}: dense {1e3 * dense:.3g} ms. "
    if np.isnan(crossing):
        words += "CSR is not expected to be faster at any sparsity: the call and turning x and y alone take longer."
    else:
        ax.plot(crossing, 1, "o", color=palette.INK, markersize=8, zorder=3)
        words += f"CSR is expected to be faster from {crossing:.0%} on."
    return fig, f"Predicted time of a layer stored densely and as CSR, against its sparsity. {words}", words


# ---------------------------------------------------------------------------------------------------- lesson 11


DRIVERS = {
    "NCP, 253 synapses": "NCP",
    "dense, 969 synapses": "dense",
    "seven neurons, 273 synapses": "seven",
    "one neuron, 32 synapses": "one",
}
ROAD_SEED, DRIVE_STEPS = 1003, 300


@functools.cache
def recorded_drive(kind, noise):
    """A recorded circuit, and half a minute of its driving.

    Args:
        kind: one of ``circuits.KINDS``.
        noise: standard deviation of the camera's noise.

    Returns:
        (Circuit, Drive).
    """
    circuit = circuits.recorded(kind)
    return circuit, driving.drive(circuit, [ROAD_SEED], steps=DRIVE_STEPS, noise=noise)


def at_the_wheel():
    """Let a circuit drive: press play, and watch the road, what the camera sees, and which neurons are active."""
    layout = ipywidgets.Layout(width="290px")
    driver = ipywidgets.Dropdown(options=list(DRIVERS.items()), description="driver", layout=layout)
    noise = ipywidgets.Dropdown(
        options=[("none", 0.0), ("0.1, as in training", 0.1), ("0.6", 0.6), ("1.0", 1.0), ("1.5", 1.5)],
        value=0.1,
        description="noise",
        layout=layout,
    )
    moment = slider("moment, in tenths of a second", 60, 0, DRIVE_STEPS - 1, 1)
    play = ipywidgets.Play(value=60, min=0, max=DRIVE_STEPS - 1, step=2, interval=250)
    ipywidgets.jslink((play, "value"), (moment, "value"))
    controls = {"moment": moment, "kind": driver, "noise": noise}
    rows = ipywidgets.VBox([ipywidgets.HBox([driver, noise]), ipywidgets.HBox([play, with_text_box(moment)])])
    return panel(controls, drive_at, rows)


def drive_at(moment, kind="NCP", noise=0.1):
    """The picture of the driving panel: one moment of a drive.

    Args:
        moment: step of the drive.
        kind: one of ``circuits.KINDS``.
        noise: standard deviation of the camera's noise.

    Returns:
        (figure, alternative text, sentence).
    """
    circuit, drive = recorded_drive(kind, noise)
    fig = plots.Figure(figsize=(7.8, 3.4), facecolor=palette.PAPER)
    road, line, wiring = (
        fig.add_axes(place) for place in ((0.01, 0.2, 0.33, 0.79), (0.03, 0.05, 0.29, 0.07), (0.37, 0.02, 0.62, 0.96))
    )
    offset, heading = drive.offset[0, moment].item(), drive.heading[0, moment].item()
    plots.view_from_above(road, drive.curvature[0].numpy(), offset, heading, moment)
    plots.camera_line(line, drive.images[0, moment].numpy(), "what the camera sees")
    synapses = circuit.synapses
    plots.circuit(
        wiring,
        synapses.weight.detach().numpy(),
        synapses.S.numpy(),
        {"inter": circuits.INTER, "command": circuits.COMMAND, "motor": circuits.MOTOR},
        inputs=drive.images[0, moment].numpy(),
        activity=drive.activity[0, moment].numpy(),
    )
    left_at = drive.metres[0].item()
    story = "It keeps its lane to the end." if drive.kept[0] else f"It leaves its lane after {left_at:.1f} m."
    words = (
        f"{moment / 10:.1f} s: {abs(offset):.2f} m {'left' if offset > 0 else 'right'} of the middle, steering "
        f"{drive.steering[0, moment].item():+.2f} per metre. {story}"
    )
    return fig, f"A car on a winding road, its camera's line, and the circuit that steers it. {words}", words

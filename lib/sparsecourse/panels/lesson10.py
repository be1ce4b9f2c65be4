"""Panel of lesson 10: where zeros pay."""

import functools
from dataclasses import astuple

import ipywidgets
import numpy as np

from sparsecourse import palette, plots, storage
from sparsecourse.panels.building import build, row, slider


@functools.cache
def this_machine():
    """The rates of this machine: of three measurements the middle one, rate by rate, which takes a second or two.

    Whatever else the machine does for a moment spoils one measurement, and not the middle one.
    """
    return storage.Machine(*np.median([astuple(storage.measure_machine()) for _ in range(3)], axis=0))


def panel(machine=None):
    """Choose a layer's size and the number of examples; see from which sparsity on CSR is predicted to be faster.

    Args:
        machine: a ``storage.Machine``; None takes this one.
    """
    controls = {"units": slider("units", 1024, 128, 4096, 128), "batch": slider("batch", 64, 1, 256, 1)}

    def draw(**setting):
        fig, alt, words = picture(**setting, machine=machine)
        return fig, alt, f"{words} {rates(machine or this_machine())}"

    if machine:
        return build(controls, draw)
    again = ipywidgets.Button(description="Measure again", tooltip="Measure this machine's rates again")
    shown = build(controls, draw, ipywidgets.VBox([row(controls.values()), again]))

    def measure(button):
        button.disabled, button.description = True, "Measuring"
        this_machine.cache_clear()
        shown.redraw()
        button.disabled, button.description = False, "Measure again"

    again.on_click(measure)
    return shown


def rates(machine):
    """What a prediction is made from, in a sentence."""
    return (
        f"Predicted from {machine.bandwidth / 1e9:.3g} billion bytes read a second, {machine.dense / 1e9:.3g} billion "
        f"multiply-adds a second dense and {machine.sparse / 1e9:.3g} billion in CSR, and {1e6 * machine.call:.0f} µs "
        "for a call."
    )


def picture(units, batch, machine=None):
    """Predicted times of a square layer, stored densely and as CSR, against its sparsity.

    Args:
        units: inputs and outputs.
        batch: examples a call.
        machine: a ``storage.Machine``; None takes this one.
    """
    machine = machine or this_machine()
    sparsities = np.linspace(0, 1, 101)
    dense, _ = storage.predict(machine, units, units, 0, batch)
    csr = np.array([storage.predict(machine, units, units, sparsity, batch)[1] for sparsity in sparsities]) / dense
    crossing = storage.predicted_to_pay_from(machine, units, units, batch)
    top = max(8, 2 ** np.ceil(np.log2(1.05 * csr[0])))  # by doubling, so that the scale seldom jumps
    fig, ax = plots.figure(6.5, 3.0, margins={"left": 0.11, "right": 0.9, "top": 0.96, "bottom": 0.17})
    ax.set(xlim=(0, 1), ylim=(0, top), xlabel="sparsity", ylabel="time, dense = 1")
    ax.plot([0, 1], [1, 1], color=palette.LAYOUT_STYLES["dense"][0], linewidth=1.6)
    ax.text(1.01, 1, "dense", va="center", fontsize=9)
    ax.plot(sparsities, csr, color=palette.LAYOUT_STYLES["csr"][0], linewidth=2, clip_on=False)
    ax.annotate("CSR", (sparsities[5], csr[5]), xytext=(6, 4), textcoords="offset points", fontsize=9)
    words = f"{units} × {units}, batch {batch}: dense {1e3 * dense:.3g} ms. "
    if np.isnan(crossing):
        words += "CSR is not expected to be faster at any sparsity: the call and transposing x and y alone take longer."
    else:
        ax.plot(crossing, 1, "o", color=palette.INK, markersize=8, zorder=3)
        words += f"CSR is expected to be faster from {crossing:.0%} on."
    alt = (
        "Predicted time of a layer stored as CSR against its sparsity. It falls in a straight line from "
        f"{csr[0]:.1f} to {csr[-1]:.2f} times that of the dense layer. {words}"
    )
    return fig, alt, words

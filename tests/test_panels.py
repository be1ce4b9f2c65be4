"""Panels, in process: each control of each lesson's panels is moved over its whole range, and nothing may fail.

The panels are found in the lessons, in the cells tagged `panel`; such a cell stands alone, so it runs here as it is.
"""

import ast
import base64
import dataclasses
import importlib
import io
import re
import subprocess
import sys

import ipywidgets
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from sparsecourse import connectome, plots, storage
from sparsecourse.panels import building, lesson00, lesson02, lesson04, lesson07, lesson08, lesson09, lesson10, lesson11
from tools import lessons

PANELS = {
    f"{path.name[:2]}, cell {index}": cell.source
    for path in lessons.paths()
    for index, cell in enumerate(lessons.read(path).cells)
    if "panel" in lessons.tags(cell)
}
MOST = 25  # values of one control that are tried; of more, this many, evenly spread, with both ends


def shown(source):
    """The panel that a lesson's cell shows: the value of its last line."""
    tree = ast.parse(source)
    namespace = {}
    try:
        exec(compile(ast.Module(tree.body[:-1], []), "panel", "exec"), namespace)
        return eval(compile(ast.Expression(tree.body[-1].value), "panel", "eval"), namespace)
    except NameError as error:
        pytest.fail(f"a panel's cell must stand alone and import what it uses: {error}\n{source}")


def whole_range(control):
    """The values that a control can take."""
    if isinstance(control, ipywidgets.Dropdown):
        values = [option[1] if isinstance(option, tuple) else option for option in control.options]
    elif isinstance(control, ipywidgets.ToggleButton):
        values = [False, True]
    else:
        values = np.arange(control.min, control.max + control.step / 2, control.step).tolist()
        values = [type(control.value)(min(value, control.max)) for value in values]
    if len(values) <= MOST:
        return values
    return [values[round(place)] for place in np.linspace(0, len(values) - 1, MOST)]


def seen(panel):
    """The picture and the sentence below it."""
    return tuple(part.value for part in panel.children[1:3])


@pytest.mark.parametrize("lesson", [path.name[:2] for path in lessons.paths()])
def test_every_lesson_has_a_panel_and_its_picture(lesson):
    module = importlib.import_module(f"sparsecourse.panels.lesson{lesson}")
    for function in (module.panel, module.picture):
        assert function.__module__ == module.__name__
        assert function.__doc__


def test_one_lesson_s_panel_does_not_import_the_others():
    code = "import sys; from sparsecourse.panels import lesson05; print(*sys.modules)"
    imported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert re.findall(r"panels\.(lesson\d\d)", imported) == ["lesson05"]


@pytest.mark.slow
@pytest.mark.parametrize("name", PANELS)
def test_every_control_over_its_whole_range(name, monkeypatch):
    # the same picture, drawn small, its margins as they come: the lessons and the browser show it as it is meant
    monkeypatch.setattr(plots, "LIGHT", {"sharpness": 1 / 4})
    monkeypatch.setattr(plots.canvas, "Figure", lambda **options: Figure(**options | {"layout": None}))
    panel = shown(PANELS[name])
    assert panel.controls
    for control in panel.controls.values():
        start, pictures = control.value, set()
        for value in whole_range(control):
            control.value = value
            picture, sentence = seen(panel)
            assert re.search(r'<img alt="[^"]{30,}"', picture)
            assert len(re.sub("<[^>]*>", "", sentence)) > 10
            pictures.add(picture)
        assert len(pictures) > 1, f"{control.description} changes nothing"
        control.value = start


@pytest.mark.parametrize("name", PANELS)
def test_every_control_has_a_name_and_a_keyboard_way(name):
    panel = shown(PANELS[name])
    boxes = []

    def walk(widget):
        boxes.append(widget)
        for child in getattr(widget, "children", ()):
            walk(child)

    walk(panel)
    for control in panel.controls.values():
        assert control.description
        assert control in boxes
        if isinstance(control, (ipywidgets.IntSlider, ipywidgets.FloatSlider)):
            texts = [box for box in boxes if isinstance(box, ipywidgets.BoundedFloatText)]
            text = next(text for text in texts if text.description == control.description)
            assert (text.min, text.max, text.step) == (control.min, control.max, control.step)
        if isinstance(control, ipywidgets.ToggleButton):  # it is given no aria-pressed: its name says it
            assert control.description.endswith(" kept")
            control.value = False
            assert control.description.endswith(" cut")


def test_the_text_box_follows_the_slider_and_leads_it():
    panel = lesson00.panel()
    text, slider = panel.children[0].children[0].children
    slider.value = 90
    assert text.value == 90
    before = seen(panel)
    text.value = 10
    assert slider.value == 10
    assert seen(panel) != before


@pytest.mark.parametrize(("typed", "taken"), [(12.5, 12), (13.9, 14), (61, 60), (1e9, 96), (-3, 0)])
def test_what_is_typed_becomes_the_nearest_that_the_slider_has(typed, taken):
    slider = building.slider("cut", 48, 0, 96, 4 if typed == 61 else 1)
    text, _ = building.with_text_box(slider).children
    text.value = typed
    assert slider.value == text.value == taken
    assert isinstance(slider.value, int)


def test_a_panel_without_a_kernel_says_what_to_do():
    shown = lesson00.panel()._repr_mimebundle_()
    assert shown["text/plain"] == "Run this cell to see the panel."
    assert "application/vnd.jupyter.widget-view+json" in shown


def opened(widget_html):
    """The picture that a widget's HTML holds."""
    data = re.search('data:image/png;base64,([^")]+)', widget_html)[1]
    return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")


def test_what_stays_is_sent_once_and_lies_below_what_moves():
    panel = lesson11.panel()
    _, picture, _, below = panel.children
    wiring = below.value
    panel.controls["moment"].value = 120
    assert below.value == wiring
    assert f".{picture._dom_classes[0]} img " in wiring
    together = np.asarray(Image.alpha_composite(opened(wiring), opened(picture.value)), dtype=float)[..., :3]
    fig, _, _ = lesson11.picture(120, "NCP", 0.1)
    whole = np.asarray(opened(plots.image_html(fig, "A drive.", sharpness=plots.LIGHT["sharpness"])), float)[..., :3]
    assert together.shape == whole.shape
    assert np.abs(together - whole).mean() < 2
    panel.controls["kind"].value = "one"
    assert below.value != wiring


def test_a_frame_is_light_also_while_it_plays():
    panel = lesson11.panel()
    play = next(widget for widget in panel.children[0].children[1].children if isinstance(widget, ipywidgets.Play))
    button = next(widget for widget in panel.children[0].children[1].children if isinstance(widget, ipywidgets.Button))
    frames = []
    panel.children[1].observe(lambda change: frames.append(len(change["new"])), names="value")
    panel.controls["kind"].value = "dense"
    button.click()
    assert (play.playing, button.description) == (True, "Stop")
    for panel.controls["moment"].value in (0, 100, 200):
        pass
    assert len(frames) == 4
    assert max(frames) < 30_000
    play.value = play.max
    button.click()
    assert (play.playing, button.description) == (False, "Play")
    button.click()
    assert (play.playing, play.value) == (True, play.min)


def test_a_handle_can_reach_every_moment_of_the_drive():
    moment = lesson11.panel().controls["moment"]
    frame = 40  # pixels that are no rail
    assert int(moment.layout.width.removesuffix("px")) - frame > moment.max


def test_the_painter_never_calls_a_kept_weight_zero():
    names = [button.description for button in lesson02.panel().controls.values()]
    assert "0.03 kept" in names
    assert not [name for name in names if re.match(r"-?0\.0 ", name)]


def test_an_error_in_a_panel_is_not_swallowed():
    def draw(x):
        if x > 1:
            raise RuntimeError("too far")
        return plots.figure(1, 1)[0], "A figure.", "fine"

    panel = building.build({"x": building.slider("x", 0, 0, 2, 1)}, draw)
    with pytest.raises(RuntimeError, match="too far"):
        panel.controls["x"].value = 2


def test_panels_use_no_output_widget():
    for source in PANELS.values():
        panel = shown(source)
        assert not [part for part in panel.children if isinstance(part, ipywidgets.Output)]


def test_thinned_counts_what_it_draws():
    _, _, words = lesson00.picture(80)
    assert words == "20 of 102 weights are left: sparsity 80.4%."


def test_painted_names_idle_units():
    S = np.array([[1, 0], [0, 0]])
    _, _, words = lesson02.picture(np.ones((2, 2)), S)
    assert "sparsity 75.0%" in words
    assert "Inputs that nothing uses: 2." in words
    assert "Dead outputs: 2." in words
    assert "infinite" in lesson02.picture(np.ones((2, 2)), np.zeros((2, 2), int))[2]


@pytest.mark.slow
def test_every_neuron_of_the_worm_has_a_sentence(monkeypatch):
    monkeypatch.setattr(plots, "worm", lambda *_, **__: None)  # the pictures are drawn in the test above
    worm = connectome.load("cook2019")
    for kind in connectome.KINDS:
        edges = worm.edges(kind)
        for neuron in worm.neurons.index:
            _, _, words = lesson04.picture(worm, neuron, kind, threshold=2)
            sends, hears = (int(number) for number in re.search(r"sends to (\d+) .* hears (\d+)", words).groups())
            strong = edges[edges["weight"] >= 2]
            assert (sends, hears) == ((strong["pre"] == neuron).sum(), (strong["post"] == neuron).sum())


def test_the_interval_of_the_seeds_panel_shrinks():
    reach = []
    for seeds in (2, 10):
        _, _, words = lesson08.picture(seeds, 0.9)
        low, high = (float(number) for number in re.search(r"\((-?\d\.\d+) to (\d\.\d+)\)", words).groups())
        reach.append(high - low)
    assert reach[1] < reach[0]


def test_the_neighbourhood_panel_counts_what_was_moved():
    _, _, words = lesson07.picture(4, 0)
    assert "48 of 48 connections lie in their window" in words
    assert "sparsity 77.8%" in words
    _, _, words = lesson07.picture(4, 100)
    assert int(re.search(r"(\d+) of 48", words)[1]) < 20


def test_what_lies_behind_the_mask_shrinks_with_adam_and_l2_only_fast():
    left = {
        name: float(lesson09.picture(100, name)[2].split("square is ")[1].split("%")[0]) for name in lesson09.OPTIMISERS
    }
    assert left["SGD"] == left["Adam"] == 100
    assert left["Adam with L2"] < 5 < 50 < left["SGD, momentum and decay"] < left["AdamW"] < 100


def test_the_predicted_crossing_is_told():
    slow = storage.Machine(bandwidth=4e10, dense=1e11, sparse=2e10, turn=1e9, call=1e-2)
    fast = storage.Machine(bandwidth=4e10, dense=1e11, sparse=2e10, turn=1e12, call=1e-9)
    assert "not expected to be faster" in lesson10.picture(256, 64, slow)[2]
    assert "faster from 80% on" in lesson10.picture(1024, 1024, fast)[2]


def test_rates_are_shown_and_measured_again(monkeypatch):
    machine, measured = storage.Machine(bandwidth=4e10, dense=1e11, sparse=2e10, turn=1e12, call=1e-5), []
    disturbed = dataclasses.replace(machine, dense=1e9)

    def measure():
        measured.append(len(measured))
        return disturbed if len(measured) == 2 else machine

    monkeypatch.setattr(storage, "measure_machine", measure)
    lesson10.this_machine.cache_clear()
    panel = lesson10.panel()
    assert "40 billion bytes read a second, 100 billion multiply-adds a second dense and 20 billion" in seen(panel)[1]
    before, again = len(measured), panel.children[0].children[1]
    panel.controls["units"].value = 2048
    assert len(measured) == before
    again.click()
    assert len(measured) == 2 * before
    assert (again.description, again.disabled) == ("Measure again", False)
    lesson10.this_machine.cache_clear()


def test_the_drive_is_told():
    _, alt, words = lesson11.picture(100, "NCP", 0.1)
    assert words.startswith("10.0 s: ")
    assert "It keeps its lane to the end." in words
    assert "circuit that steers" in alt

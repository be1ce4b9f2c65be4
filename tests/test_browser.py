"""A lesson and all panels as a learner sees them: a real JupyterLab in a real browser, all cells run, panels moved."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import axe_playwright_python
import nbformat
import pytest
from playwright.sync_api import expect

from tools import lessons
from tools.browser import MISSING, PATH

START_SECONDS, RUN_SECONDS, REDRAW_SECONDS = 60, 120, 10

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PANELS = [
    (path, index)
    for path in lessons.paths()
    for index, cell in enumerate(lessons.read(path).cells)
    if "panel" in lessons.tags(cell)
]
ALL_PANELS = "all_panels.ipynb"
VERDICTS = "verdicts.ipynb"
CHECKED = [  # right, wrong, not answered
    "from sparsecourse.exercises import check, exercises\ncheck('0.1', exercises()['0.1'].reference)",
    "check('0.1', lambda weights, cut: weights + cut)",
    "check('0.1', ...)",
]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
THEMES = ("JupyterLab Light", "JupyterLab Dark")
KERNEL_IDLE = "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
ALL_RUN = """() => {
    const panel = window.jupyterapp.shell.currentWidget;
    const cells = [...panel.content.model.cells].filter(cell => cell.type === 'code');
    return panel.sessionContext.session.kernel.status === 'idle' && cells.every(cell => cell.executionCount !== null);
}"""


def test_a_browser_is_there():
    """Where REQUIRE_BROWSER is set, a missing browser is a failure."""
    assert PATH, MISSING


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address of a JupyterLab over a copy of the notebooks, with settings and folders of its own."""
    root, home = tmp_path_factory.mktemp("course"), tmp_path_factory.mktemp("jupyter")
    shutil.copytree(lessons.NOTEBOOKS, root / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    together = lessons.read(lessons.paths()[0])
    together.cells = [lessons.read(path).cells[index] for path, index in PANELS]  # each stands alone
    nbformat.write(together, root / "notebooks" / ALL_PANELS)
    together.cells = [nbformat.v4.new_code_cell(code) for code in CHECKED]
    nbformat.write(together, root / "notebooks" / VERDICTS)
    settings = {
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
        "notebook-extension/tracker": {"windowingMode": "none"},  # a panel out of sight is there too
    }
    for name, values in settings.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(values))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": root,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "IdentityProvider.token": token,
        "LabApp.expose_app_in_browser": True,
    }
    folders = {"CONFIG": "config", "DATA": "data", "RUNTIME": "runtime"}
    environment = {f"JUPYTER_{key}_DIR": str(home / folder) for key, folder in folders.items()} | {
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    log = home / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())],
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{address}/api/status?token={token}", timeout=2).close()
                break
            except (urllib.error.URLError, OSError):
                if server.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"JupyterLab did not start:\n{log.read_text()}")
                time.sleep(0.2)
        yield address, token
    finally:
        server.terminate()
        server.wait(20)


def opened(lab, browser, name):
    """A notebook that is open in a page of its own, with all cells run, and what went wrong on the page."""
    address, token = lab
    page, errors = browser.new_page(viewport={"width": 1280, "height": 1000}), []
    page.route(lambda url: not url.startswith((address, "data:", "blob:")), lambda route: route.abort())
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/lab/tree/notebooks/{name}?token={token}&reset")
    page.wait_for_function(KERNEL_IDLE, timeout=1000 * START_SECONDS)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text("Run All Cells", exact=True).click()
    page.wait_for_function(ALL_RUN, timeout=1000 * RUN_SECONDS)
    return page, errors


@pytest.fixture(scope="module")
def all_panels(lab, browser):
    """The page with every panel, and its errors."""
    return opened(lab, browser, ALL_PANELS)


@pytest.fixture
def panel(all_panels):
    """Function that finds a panel by its lesson, or by its place among all; afterwards the page has no error."""
    page, errors = all_panels
    first = {path.name[:2]: place for place, (path, _) in reversed(list(enumerate(PANELS)))}
    yield lambda which: page.locator(".jp-Notebook-cell").nth(first.get(which, which))
    assert not errors


def picture_that_says(panel, words):
    """Source of a panel's picture once its alternative text holds these words."""
    image = panel.locator(f".widget-html img[alt*='{words}']")
    image.wait_for(state="attached", timeout=1000 * REDRAW_SECONDS)
    return image.get_attribute("src")


def test_a_lesson_runs_and_its_slider_redraws_its_picture(lab, browser):
    page, errors = opened(lab, browser, lessons.paths()[0].name)
    start = picture_that_says(page, "51 of 102 weights are left")
    page.locator(".widget-hslider .noUi-handle").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    moved = picture_that_says(page, "49 of 102 weights are left")
    text = page.locator(".widget-text input")
    expect(text).to_have_value("52", timeout=1000 * REDRAW_SECONDS)  # or it would come late, over what is typed
    text.fill("80")
    text.press("Enter")
    assert len({start, moved, picture_that_says(page, "20 of 102 weights are left")}) == 3
    assert not errors


def test_a_painted_mask_redraws_its_picture(panel):
    paint = panel("02")
    start = picture_that_says(paint, "12 of 12 kept")
    paint.locator(".widget-toggle-button").first.click()
    assert picture_that_says(paint, "11 of 12 kept: sparsity 8.3%") != start


def violations(page, place):
    """What axe finds wrong with what cells have shown, in every theme, as {(rule, HTML of the element)}."""
    page.evaluate(AXE)
    found = set()
    for theme in THEMES:
        page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
        page.wait_for_selector(f"body[data-jp-theme-name='{theme}']", state="attached")
        page.wait_for_timeout(500)  # until its colours are there
        broken = page.evaluate("place => axe.run(place, {resultTypes: ['violations']})", place)["violations"]
        found |= {(rule["id"], node["html"]) for rule in broken for node in rule["nodes"]}
    return found


def test_verdicts_are_seen_and_read_in_every_theme(lab, browser):
    page, errors = opened(lab, browser, VERDICTS)
    right, wrong = (page.locator(".jp-OutputArea-output [role=status]").nth(k) for k in (0, 1))
    expect(right).to_contain_text("0.1 correct, over 5 cases.")
    expect(wrong).to_contain_text("0.1 not yet")
    marks = [verdict.locator("[aria-hidden=true]") for verdict in (right, wrong)]
    assert [mark.text_content() for mark in marks] == ["✓", "✗"]
    colours = [mark.evaluate("it => getComputedStyle(it).backgroundColor") for mark in marks]
    assert len(set(colours)) == 2
    assert page.locator(".jp-OutputArea-output").nth(2).text_content().startswith("0.1 not answered yet.")
    assert violations(page, ".jp-OutputArea-output") == set()
    assert not errors


def test_axe_finds_nothing_in_the_panels_but_handles_that_ipywidgets_can_t_name(all_panels):
    page, _ = all_panels
    picture_that_says(page, "circuit that steers it")  # the last one
    assert {
        rule for rule, element in violations(page, ".jp-OutputArea-output") if "noUi-handle" not in element
    } == set()


def test_a_fraction_that_is_typed_is_no_whole_number(panel):
    seeds = panel("08")
    box = seeds.get_by_label("seeds")
    box.fill("")
    box.press_sequentially("4.4")
    box.press("Enter")
    picture_that_says(seeds, "4 seeds")
    expect(box).to_have_value("4")


def test_the_rail_of_the_drive_reaches_both_ends_and_it_plays(panel):
    drive = panel("11")
    box, handle = drive.get_by_label("moment"), drive.locator(".noUi-handle")
    rail = drive.locator(".noUi-base")
    width = rail.evaluate("it => it.getBoundingClientRect().width")
    assert width >= 300, "a pixel a moment"
    for place, moment in ((width + 5, "299"), (-5, "0")):  # a little beyond, as a hand does
        handle.drag_to(rail, target_position={"x": place, "y": 2}, force=True)
        expect(box).to_have_value(moment)
    drive.get_by_role("button", name="Play", exact=True).click()
    stop = drive.get_by_role("button", name="Stop", exact=True)
    expect(box).not_to_have_value("0")
    stop.click()
    expect(drive.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_a_slider_can_be_dragged(panel):
    multiply = panel("01")
    start = picture_that_says(multiply, "x1 = 1.0")
    rail, handle = (multiply.locator(f".widget-hslider .noUi-{part}").first for part in ("base", "handle"))
    handle.drag_to(rail, target_position={"x": 2, "y": 2})
    assert picture_that_says(multiply, "x1 = -2.0") != start


def test_a_neuron_can_be_picked(panel):
    worm = panel("04")
    start = picture_that_says(worm, "partners of AVAL")
    worm.locator(".widget-dropdown select").first.select_option("RIPL")
    assert picture_that_says(worm, "partners of RIPL") != start


@pytest.mark.parametrize("place", range(len(PANELS)), ids=[f"{path.name[:2]}, cell {index}" for path, index in PANELS])
def test_every_panel_answers_the_keyboard(panel, place):
    moved = panel(place)
    image = moved.locator(".widget-html img").first
    image.wait_for(state="attached", timeout=1000 * REDRAW_SECONDS)
    before = image.get_attribute("src")
    slider, button = moved.locator(".widget-hslider .noUi-handle"), moved.locator(".widget-toggle-button")
    (slider if slider.count() else button).first.press("ArrowRight" if slider.count() else "Space")
    expect(image).not_to_have_attribute("src", before, timeout=1000 * REDRAW_SECONDS)

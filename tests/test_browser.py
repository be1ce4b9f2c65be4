"""Lessons as a learner sees them: a real JupyterLab in a real browser, all cells run, a panel moved."""

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

import nbformat
import pytest

from tools import lessons
from tools.browser import MISSING, PATH

START_SECONDS, RUN_SECONDS, REDRAW_SECONDS = 60, 120, 10

pytestmark = pytest.mark.browser

PANELS = [
    (path, index)
    for path in lessons.paths()
    for index, cell in enumerate(lessons.read(path).cells)
    if "panel" in lessons.tags(cell)
]
KERNEL_IDLE = "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
ALL_RUN = """() => {
    const panel = window.jupyterapp.shell.currentWidget;
    const cells = [...panel.content.model.cells].filter(cell => cell.type === 'code');
    return panel.sessionContext.session.kernel.status === 'idle' && cells.every(cell => cell.executionCount !== null);
}"""


def panel_name(path, index):
    """Name of the notebook that holds one panel of a lesson and nothing else."""
    return f"panel_{path.stem}_{index}.ipynb"


def test_a_browser_is_there():
    """Where REQUIRE_BROWSER is set, a missing browser is a failure."""
    assert PATH, MISSING


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address of a JupyterLab over a copy of the notebooks, with settings and folders of its own."""
    root, home = tmp_path_factory.mktemp("course"), tmp_path_factory.mktemp("jupyter")
    shutil.copytree(lessons.NOTEBOOKS, root / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    for path, index in PANELS:  # a panel's cell stands alone, so its lesson need not be run
        alone = lessons.read(path)
        alone.cells = [alone.cells[index]]
        nbformat.write(alone, root / "notebooks" / panel_name(path, index))
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
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


@pytest.fixture
def open_lesson(lab, browser):
    """Function that opens a lesson, runs all its cells and returns (page, errors of the page)."""
    address, token = lab
    contexts = []

    def opened(name):
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        contexts.append(context)
        context.route(lambda url: not url.startswith((address, "data:", "blob:")), lambda route: route.abort())
        page, errors = context.new_page(), []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{address}/lab/tree/notebooks/{name}?token={token}&reset")
        page.wait_for_function(KERNEL_IDLE, timeout=1000 * START_SECONDS)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator(".lm-Menu-itemLabel").get_by_text("Run All Cells", exact=True).click()
        page.wait_for_function(ALL_RUN, timeout=1000 * RUN_SECONDS)
        return page, errors

    yield opened
    for context in contexts:
        context.close()


def picture_that_says(page, words):
    """Source of the panel's picture once its alternative text holds these words."""
    image = page.locator(f".widget-html img[alt*='{words}']")
    image.wait_for(state="attached", timeout=1000 * REDRAW_SECONDS)
    return image.get_attribute("src")


def resting_box(page, element):
    """Box of an element once it has stopped moving: JupyterLab lays cells out as they come into view."""
    element.scroll_into_view_if_needed()
    box = None
    while box != (box := element.bounding_box()):
        page.wait_for_timeout(500)
    return box


def test_a_slider_redraws_its_picture(open_lesson):
    page, errors = open_lesson("00_start_here.ipynb")
    start = picture_that_says(page, "51 of 102 weights are left")
    page.locator(".widget-hslider .noUi-handle").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    moved = picture_that_says(page, "49 of 102 weights are left")
    text = page.locator(".widget-text input")
    text.fill("80")
    text.press("Enter")
    assert len({start, moved, picture_that_says(page, "20 of 102 weights are left")}) == 3
    assert not errors


def test_a_painted_mask_redraws_its_picture(open_lesson):
    page, errors = open_lesson("02_what_sparse_means.ipynb")
    start = picture_that_says(page, "12 of 12 kept")
    page.locator(".widget-toggle-button").first.click()
    assert picture_that_says(page, "11 of 12 kept: sparsity 8.3%") != start
    assert not errors


def test_a_slider_can_be_dragged(open_lesson):
    page, errors = open_lesson("01_one_layer.ipynb")
    start = picture_that_says(page, "x1 = 1.0")
    rail = resting_box(page, page.locator(".widget-hslider .noUi-base").first)
    handle = page.locator(".widget-hslider .noUi-handle").first.bounding_box()
    middle = handle["y"] + handle["height"] / 2
    page.mouse.move(handle["x"] + handle["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(rail["x"] + 2, middle, steps=10)
    page.mouse.up()
    assert picture_that_says(page, "x1 = -2.0") != start
    assert not errors


def test_a_neuron_can_be_picked(open_lesson):
    page, errors = open_lesson("04_the_worm.ipynb")
    start = picture_that_says(page, "partners of AVAL")
    page.locator(".widget-dropdown select").first.select_option("RIPL")
    assert picture_that_says(page, "partners of RIPL") != start
    assert not errors


@pytest.mark.parametrize(("path", "index"), PANELS, ids=[f"{path.name[:2]}, cell {index}" for path, index in PANELS])
def test_every_panel_answers_the_keyboard(open_lesson, path, index):
    page, errors = open_lesson(panel_name(path, index))
    image = page.locator(".widget-html img").first
    image.wait_for(state="attached", timeout=1000 * REDRAW_SECONDS)
    before = image.get_attribute("src")
    slider, button = page.locator(".widget-hslider .noUi-handle"), page.locator(".widget-toggle-button")
    if slider.count():
        slider.first.focus()
        page.keyboard.press("ArrowRight")
    else:
        button.first.focus()
        page.keyboard.press("Space")
    page.wait_for_function(
        "before => document.querySelector('.widget-html img').src !== before", arg=before, timeout=1000 * REDRAW_SECONDS
    )
    assert not errors

"""The panels of the web site, moved in a real browser and compared with those of the lessons."""

import io
import re
from importlib import util
from pathlib import Path

import axe_playwright_python
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from PIL import Image
from playwright.sync_api import expect
from test_panels import PANELS, shown

from tools import lessons

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SITE = lessons.ROOT / "site"
LESSONS = {path.name[:2]: f"notebooks/{path.stem}.html" for path in lessons.paths()}
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 356, "height": 800}
LARGEST = 1_500_000  # bytes
LEGIBLE = 9  # pixels, of the smallest letters
LOOKED_AT = 3  # values of each control whose pictures are compared
GRAIN = (60, 30)  # pixels to which pictures are reduced before: how edges are smoothed does not matter
BARE = ".panel svg { border: 0 !important; padding: 0 !important; border-radius: 0 !important }"


@pytest.fixture(scope="module")
def folder(built):
    """The site, its panels drawn."""
    return built(still=False)


@pytest.fixture
def tab(host, browser):
    """A page of the browser that notes what it asks for, and what goes wrong."""
    tab = browser.new_page(viewport=DESK)
    tab.requests, tab.errors = [], []
    tab.on("request", lambda request: tab.requests.append(request.url))
    tab.on("pageerror", lambda error: tab.errors.append(str(error)))
    tab.on("response", lambda response: tab.errors.append(response.url) if response.status >= 400 else None)
    yield tab
    tab.close()
    assert not tab.errors
    assert not [url for url in tab.requests if not url.startswith((host, "data:", "blob:"))]


@pytest.fixture(scope="module")
def drawing():
    """The module that draws the site's panels."""
    spec = util.spec_from_file_location("site_panels", SITE / "panels.py")
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def opened(tab, host, lesson):
    """The panel of a lesson, in view and ready."""
    tab.goto(host + LESSONS[lesson])
    panel = tab.locator(".panel")
    panel.scroll_into_view_if_needed()
    expect(panel).not_to_have_attribute("inert", re.compile(".*"))
    return panel


def positions(control):
    """How many values a control of a page has."""
    return control.evaluate("it => it.options?.length ?? (it.max ? Number(it.max) + 1 : 2)")


def move(control, place):
    """Set a control to one of its values, by what a reader does."""
    if control.evaluate("it => it.type") == "range":
        control.fill(str(place))
    elif control.evaluate("it => it.type") == "button":
        if control.get_attribute("aria-pressed") != ("false", "true")[place]:
            control.click()
    else:
        control.select_option(index=place)


def value(control, widget):
    """What a control says, as a value of the lesson's widget."""
    if control.evaluate("it => it.type") == "range":
        return type(widget.value)(control.get_attribute("aria-valuetext"))
    if control.evaluate("it => it.type") == "button":
        return control.get_attribute("aria-pressed") == "true"
    options = [option if isinstance(option, tuple) else (option, option) for option in widget.options]
    return dict(options)[control.evaluate("it => it.selectedOptions[0].text")]


def small(picture):
    """A picture as a few grey pixels."""
    return np.asarray(picture.convert("L").resize(GRAIN, Image.Resampling.BOX), dtype=float)


def drawn(fig):
    """A figure as the lesson shows it."""
    png = io.BytesIO()
    fig.set_dpi(96)
    FigureCanvasAgg(fig).print_png(png)
    return Image.open(png)


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_control_shows_what_the_lesson_s_panel_shows(lesson, tab, host, drawing, monkeypatch):
    monkeypatch.setattr("sparsecourse.panels.lesson10.this_machine", lambda: drawing.MACHINE)
    source = next(source for name, source in PANELS.items() if name.startswith(lesson))
    original = shown(source)
    panel = opened(tab, host, lesson)
    tab.add_style_tag(content=BARE)
    controls = panel.locator("input, select, [aria-pressed]").all()
    moving = dict(zip(original.controls, controls, strict=True))
    setting = {name: widget.value for name, widget in original.controls.items()}
    assert {name: value(control, original.controls[name]) for name, control in moving.items()} == setting

    seen, references = [], []
    for name, control in moving.items():
        many = positions(control)
        assert many > 1
        looked_at = {round(place) for place in np.linspace(0, many - 1, LOOKED_AT)}
        for place in range(many) if many > 2 else (1, 0):  # buttons are left as they are not at first
            move(control, place)
            setting[name] = value(control, original.controls[name])
            fig, alt, words = original.draw(**setting)
            assert panel.get_by_role("status").text_content() == words, setting
            assert panel.locator("svg").get_attribute("aria-label") == alt, setting
            if place in looked_at:
                seen.append(small(Image.open(io.BytesIO(panel.locator("svg").screenshot()))))
                references.append(small(drawn(fig)))
    far = np.array([[np.abs(picture - reference).mean() for reference in references] for picture in seen])
    assert np.diag(far).max() < 3, "of 255 shades"
    assert (np.diag(far) <= far.min(axis=1) + 1e-9).all(), "another picture is more like it"


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_panel_is_small_and_its_frames_are_asked_for_when_it_comes_into_view(lesson, tab, host, folder):
    tab.set_viewport_size({"width": 1280, "height": 100})
    tab.goto(host + LESSONS[lesson])
    assert not [url for url in tab.requests if "/panels/" in url]
    panel = tab.locator(".panel")
    panel.scroll_into_view_if_needed()
    expect(panel).not_to_have_attribute("inert", re.compile(".*"))
    (frames,) = [url for url in tab.requests if "/panels/" in url]
    assert (folder / frames.removeprefix(host)).stat().st_size < LARGEST


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_panel_is_legible_on_a_phone_and_axe_finds_nothing_serious(lesson, tab, host, drawing):
    panel = opened(tab, host, lesson)
    expect(panel).to_be_visible()
    expect(tab.locator(".panel-note")).to_be_hidden()
    tab.evaluate(AXE)
    rules = {
        "resultTypes": ["violations"],
        "preload": False,
        "rules": {"label-content-name-mismatch": {"enabled": True}},
    }
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        tab.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
        found = tab.evaluate("rules => axe.run('.panel', rules)", rules)["violations"]
        assert not [broken for broken in found if broken["impact"] in ("serious", "critical")]
    tab.set_viewport_size(PHONE)
    assert tab.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"]
    fig, *_ = drawing.panel(lesson).draw(**{name: it.value for name, it in drawing.panel(lesson).controls.items()})
    smallest = min(text.get_fontsize() for text in fig.findobj(Text) if text.get_visible() and text.get_text())
    assert smallest * panel.locator("svg").evaluate("svg => svg.getScreenCTM().a") > LEGIBLE
    expect(panel.get_by_role("group", name="Figure, scrolls sideways")).to_have_class(re.compile("more-after"))


def test_the_keyboard_moves_a_slider_a_list_and_a_button(tab, host):
    panel = opened(tab, host, "08")
    sentence, slider = panel.get_by_role("status"), panel.get_by_role("slider")
    expect(sentence).to_contain_text("2 seeds")
    slider.focus()
    tab.keyboard.press("ArrowRight")
    expect(sentence).to_contain_text("3 seeds")
    expect(slider).to_have_attribute("aria-valuetext", "3")
    before = panel.locator("svg").get_attribute("aria-label")
    tab.keyboard.press("Tab")
    tab.keyboard.press("ArrowDown")
    expect(panel.locator("svg")).not_to_have_attribute("aria-label", before)
    panel = opened(tab, host, "02")
    panel.get_by_role("button").first.focus()
    tab.keyboard.press("Space")
    expect(panel.get_by_role("status")).to_contain_text("11 of 12 kept")


def test_the_drive_plays_when_asked_and_stops(tab, host):
    panel = opened(tab, host, "11")
    slider, play = panel.get_by_role("slider"), panel.locator(".panel-play")
    start = slider.input_value()
    tab.wait_for_timeout(1000)
    assert slider.input_value() == start, "nothing plays by itself"
    play.click()
    expect(play).to_have_text("Stop")
    expect(slider).not_to_have_value(start)
    play.click()
    expect(play).to_have_text("Play")
    stopped = slider.input_value()
    tab.wait_for_timeout(1000)
    assert slider.input_value() == stopped
    slider.fill(str(int(slider.get_attribute("max")) - 1))
    play.click()
    expect(play).to_have_text("Play")  # at the end it stops
    assert slider.input_value() == slider.get_attribute("max")
    tab.emulate_media(reduced_motion="reduce")
    expect(play).to_be_hidden()


def test_a_panel_whose_frames_do_not_arrive_is_a_note(host, browser):
    tab = browser.new_page(viewport=DESK)
    tab.route("**/panels/*.js", lambda route: route.abort())
    tab.goto(host + LESSONS["00"])
    tab.locator(".tag_panel").scroll_into_view_if_needed()
    expect(tab.locator(".panel-note")).to_be_visible()
    expect(tab.locator(".panel")).to_be_hidden()
    tab.close()


@pytest.mark.parametrize("lesson", LESSONS)
def test_without_javascript_there_is_the_still_picture(lesson, host, browser):
    tab = browser.new_page(java_script_enabled=False, viewport=DESK)
    tab.goto(host + LESSONS[lesson])
    expect(tab.locator(".panel")).to_be_hidden()
    expect(tab.locator(".panel-note")).to_be_visible()
    expect(tab.locator(".tag_panel ~ .cell img").first).to_be_visible()
    tab.close()


def test_panels_move_from_a_file_too(folder, browser):
    tab = browser.new_page(viewport=DESK)
    panel = opened(tab, folder.as_uri() + "/", "00")
    panel.get_by_role("slider").fill("80")
    expect(panel.get_by_role("status")).to_contain_text("20 of 102 weights are left")
    tab.close()

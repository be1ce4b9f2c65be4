"""What a reader can do on the web site: guess, copy, enlarge, tick, and find the place again, in a real browser."""

import json
import re
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import expect

from tools import lessons

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SITE = lessons.ROOT / "site"
LESSONS = {path.name[:2]: f"notebooks/{path.stem}.html" for path in lessons.pages()}
GUESSES = {  # the folded answers that ask for a guess first
    path.name[:2]: [
        folded
        for block in lessons.blocks(lessons.read(path))
        if block.role == "answer"
        for folded in lessons.DETAILS.finditer(block.cell.source)
        if folded["guess"]
    ]
    for path in lessons.paths()
}
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = {"resultTypes": ["violations"], "preload": False, "rules": {"label-content-name-mismatch": {"enabled": True}}}
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 800}
ADDED = ".guess, .copy, .enlarge, .tick, .kept, .large"  # what the script adds to a page
KEY = "sparse-neural-networks"


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
def tab(request, host, browser):
    """A page of a browser that has been nowhere, at a desk and on a phone."""
    touch = request.param is PHONE
    context = browser.new_context(viewport=request.param, has_touch=touch, is_mobile=touch)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=host.rstrip("/"))
    tab = context.new_page()
    errors, elsewhere = [], []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("request", lambda asked: elsewhere.append(asked.url) if not asked.url.startswith((host, "data:")) else None)
    yield tab
    context.close()
    assert not errors
    assert not elsewhere


def kept(tab):
    """What the browser keeps, or None."""
    return json.loads(tab.evaluate("key => localStorage.getItem(key)", KEY) or "null")


# ---------------------------------------------------------------------------------------------------------- guesses


@pytest.mark.parametrize("lesson", GUESSES)
def test_a_guess_is_told_what_the_answer_says(lesson, tab, host):
    tab.goto(host + LESSONS[lesson])
    forms = tab.locator(".guess").all()
    assert len(forms) == len(GUESSES[lesson]) > 0
    for form, folded in zip(forms, GUESSES[lesson], strict=True):
        answer = form.locator("+ details")
        verdict = form.get_by_role("status")
        asked = lessons.GUESS.fullmatch(folded["guess"])
        group = form.get_by_role("group", name=asked["ask"] or "Your guess:", exact=True)
        expect(answer).not_to_have_attribute("open", "")
        expect(verdict).to_be_empty()
        if asked["choices"]:
            choices = asked["choices"].split(" | ")
            assert [button.text_content() for button in group.get_by_role("button").all()] == choices
            right = next(choice for choice in choices if folded["text"].lower().startswith(choice.lower()))
            said = {choice: "Right." if choice == right else f"No: {right}." for choice in choices}
        else:
            right = re.search(r"\d+(\.\d+)?", folded["text"])[0]
            number = float(right)
            said = {
                f"{2 * number:g}": f"Too high: {right}.",
                f"{number / 2:g}": f"Too low: {right}.",
                f"{1.05 * number:g}": f"Close: {right}.",
                f"{number:g}": "Right.",
                f"{number:.3f}": "Right.",
            }
        for guess, words in said.items():
            if asked["choices"]:
                group.get_by_role("button", name=guess, exact=True).click()
                expect(group.locator("[aria-pressed=true]")).to_have_text(guess)
            else:
                group.get_by_role("spinbutton", name=asked["ask"], exact=True).fill(guess)
                group.get_by_role("button").click()
            expect(verdict).to_have_text(words)
            expect(answer).to_have_attribute("open", "")


def test_a_guess_is_made_from_the_keyboard_and_the_answer_opens_without_one(tab, host):
    tab.goto(host + LESSONS["02"])
    form = tab.locator(".guess").first
    form.get_by_role("button").first.focus()
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    expect(form.get_by_role("status")).to_have_text("No: about 8 %.")
    expect(form.get_by_role("button").nth(1)).to_be_focused()
    other = tab.locator(".guess + details").nth(1)
    other.locator("summary").focus()
    tab.keyboard.press("Enter")
    expect(other.locator("p").first).to_be_visible()
    tab.goto(host + LESSONS["01"])
    box = tab.locator(".guess").get_by_role("spinbutton").first
    box.focus()
    tab.keyboard.press("Enter")  # an empty box is no guess
    expect(tab.locator(".guess + details").first).not_to_have_attribute("open", "")
    tab.keyboard.type("0.8")
    tab.keyboard.press("Enter")
    expect(tab.locator(".guess").first.get_by_role("status")).to_have_text("Right.")


# --------------------------------------------------------------------------------------------------- code and figures


def test_code_is_copied_and_outputs_are_not(tab, host):
    tab.goto(host + LESSONS["03"])
    tab.evaluate("() => document.querySelectorAll('details').forEach(each => { each.open = true })")
    sources = [cell.source for cell in lessons.read(lessons.paths()[3]).cells if cell.cell_type == "code"]
    inputs = tab.locator(".cell_input .copy")
    expect(inputs).to_have_count(len(sources))
    expect(tab.locator("details:not(.hide) .copy")).to_have_count(len(tab.locator("details:not(.hide) pre").all()))
    expect(tab.locator(".cell_output .copy")).to_have_count(0)
    copy = inputs.nth(2)
    copy.focus()
    tab.keyboard.press("Enter")
    expect(copy).to_have_text("Copied")
    assert tab.evaluate("() => navigator.clipboard.readText()").strip() == sources[2].strip()
    expect(copy).to_have_text("Copy")


def test_a_figure_is_enlarged_and_put_back(tab, host):
    tab.goto(host + LESSONS["04"])
    dialog = tab.get_by_role("dialog", name="Figure")
    for place, figure in enumerate(tab.locator(".cell_output img").all()):
        button = tab.locator(".enlarge").nth(place)
        figure.click(position={"x": 10, "y": 10})
        large = dialog.get_by_role("img", name=figure.get_attribute("alt"), exact=True)
        expect(dialog.get_by_role("button", name="Close")).to_be_focused()
        assert large.bounding_box()["width"] >= max(tab.viewport_size["width"] - 20, int(figure.get_attribute("width")))
        assert large.bounding_box()["width"] > figure.bounding_box()["width"]
        tab.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        button.focus()
        tab.keyboard.press("Enter")
        expect(large).to_be_visible()
        tab.keyboard.press("Enter")  # on "Close"
        expect(dialog).to_be_hidden()
        expect(button).to_be_focused()
        figure.click(position={"x": 10, "y": 10})
        large.click(position={"x": 10, "y": 60})
        expect(dialog).to_be_hidden()


# ------------------------------------------------------------------------------------------------------- what is kept


def test_the_place_is_found_again_and_can_be_forgotten(tab, host):
    tab.goto(host)
    line = tab.locator(".kept")
    expect(line).to_be_empty()
    tab.goto(host + LESSONS["06"])
    tab.locator("#which-weights-can-go h2").evaluate("heading => heading.scrollIntoView({behavior: 'instant'})")
    tab.goto(host)
    tab.get_by_role("link", name="06 · Pruning: cutting what is small, at “Which weights can go?”").click()
    expect(tab).to_have_url(host + LESSONS["06"] + "#which-weights-can-go")
    tab.goto(host)
    line.get_by_role("button").click()
    expect(line).to_have_text("Nothing is kept.")
    expect(line).to_be_focused()
    assert kept(tab) is None
    tab.reload()
    expect(line).to_be_empty()


def test_ticked_lessons_are_marked_on_the_landing_page(tab, host):
    for lesson in ("03", "12"):
        tab.goto(host + LESSONS[lesson])
        box = tab.get_by_role("checkbox", name="I have done this lesson.")
        expect(box).not_to_be_checked()
        box.focus()
        tab.keyboard.press("Space")
        tab.reload()
        expect(box).to_be_checked()
    tab.goto(host)
    done = tab.locator(".course-map li", has=tab.locator(".done"))
    assert [card.get_by_role("link").get_attribute("href") for card in done.all()] == [LESSONS["03"], LESSONS["12"]]
    expect(tab.locator(".kept")).to_contain_text("2 of 13 done.")
    tab.goto(host + LESSONS["12"])
    tab.get_by_role("checkbox", name="I have done this lesson.").uncheck()
    tab.go_back()  # the page may come from the browser's memory
    expect(tab.locator(".kept")).to_contain_text("1 of 13 done.")
    expect(done).to_have_count(1)
    tab.locator(".kept").get_by_role("button").click()
    expect(done).to_have_count(0)


@pytest.mark.parametrize("kept", ["{", "null", "7", '{"place": null}'])
def test_what_is_kept_may_be_nonsense(kept, tab, host):
    tab.goto(host)
    tab.evaluate("([key, text]) => localStorage.setItem(key, text)", [KEY, kept])
    tab.reload()
    expect(tab.locator(".kept")).to_be_empty()
    tab.goto(host + LESSONS["01"])
    tab.get_by_role("checkbox", name="I have done this lesson.").check()
    tab.reload()
    expect(tab.get_by_role("checkbox", name="I have done this lesson.")).to_be_checked()


def test_a_browser_that_keeps_nothing_shows_the_page_all_the_same(tab, host):
    refuse = "const {METHOD} = Storage.prototype; Storage.prototype.METHOD = function (key, ...rest) {"
    refuse += f"if (key === '{KEY}') throw new Error('refused'); return METHOD.call(this, key, ...rest) }};"
    for method in ("getItem", "setItem"):
        tab.add_init_script(refuse.replace("METHOD", method))
    tab.goto(host + LESSONS["02"])
    tab.get_by_role("checkbox", name="I have done this lesson.").check()
    tab.locator(".guess button").first.click()
    expect(tab.locator(".guess").first.get_by_role("status")).to_have_text("Right.")
    tab.goto(host)
    expect(tab.locator(".kept")).to_be_empty()


# ---------------------------------------------------------------------------------------------------- for every reader


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_nothing_is_wider_than_the_window(scheme, tab, host):
    tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")

    def look(where):
        found = tab.evaluate("([where, rules]) => axe.run(where, rules)", [where, RULES])["violations"]
        assert not [broken for broken in found if broken["impact"] in ("serious", "critical")]
        assert tab.evaluate("() => document.documentElement.scrollWidth") == tab.viewport_size["width"]

    tab.goto(host + LESSONS["01"])
    tab.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
    tab.evaluate(AXE)
    tab.get_by_role("checkbox", name="I have done this lesson.").check()
    tab.locator(".guess").first.get_by_role("spinbutton").fill("3")
    tab.locator(".guess").first.get_by_role("button").click()
    tab.locator(".guess").nth(1).get_by_role("button").first.click()
    for added in (".guess", ".copy", ".enlarge", ".tick", ".way-in"):
        look(added)
    tab.locator(".cell_output img").first.click()
    look("dialog")
    tab.goto(host)
    tab.evaluate(AXE)
    expect(tab.locator(".done")).to_have_count(1)
    look(".kept")
    look(".course-map")


def test_what_is_printed_has_none_of_it(tab, host):
    tab.emulate_media(media="print")
    for page in (LESSONS["02"], "index.html"):
        tab.goto(host + page)
        assert tab.locator(ADDED).count()
        for added in tab.locator(ADDED).all():
            expect(added).to_be_hidden()


@pytest.mark.parametrize("lesson", LESSONS)
def test_without_javascript_answers_are_folded_and_nothing_is_added(lesson, host, browser):
    tab = browser.new_page(java_script_enabled=False, viewport=PHONE)
    tab.goto(host + LESSONS[lesson])
    expect(tab.locator(ADDED)).to_have_count(0)
    for answer in tab.locator("details[data-guess]").all():
        expect(answer.locator("p").first).to_be_hidden()
        answer.locator("summary").click()
        expect(answer.locator("p").first).to_be_visible()
    tab.close()


def test_it_works_from_a_file_too(folder, browser):
    tab = browser.new_page(viewport=DESK)
    tab.goto((folder / LESSONS["02"]).as_uri())
    tab.locator(".guess button").first.click()
    expect(tab.locator(".guess").first.get_by_role("status")).to_have_text("Right.")
    tab.get_by_role("checkbox", name="I have done this lesson.").check()
    tab.goto((folder / "index.html").as_uri())
    expect(tab.locator(".done")).to_have_count(1)
    tab.close()

"""The web site in a real browser: every page in light and dark and on a phone, its search, its folded answers."""

import functools
import http.server
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import axe_playwright_python
import pytest

from tools import lessons

pytestmark = pytest.mark.browser

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 800}
SETTLED_SECONDS = 5  # some time after a change of width the theme makes what scrolls focusable
LESSONS = [f"notebooks/{path.stem}.html" for path in lessons.paths()]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

# Every rule is asked once, in light, with one that its authors count as experimental. Contrast is asked in light and
# dark, of one element for each combination of colour, ground and size: asking of all takes minutes and says the same.
# Nothing is fetched for the rules, so what a page asks for is its own doing.
QUICK = {"resultTypes": ["violations"], "preload": False}
EVERYTHING = QUICK | {"rules": {"label-content-name-mismatch": {"enabled": True}, "color-contrast": {"enabled": False}}}
CONTRAST = QUICK | {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
SCROLLING = QUICK | {"runOnly": {"type": "rule", "values": ["scrollable-region-focusable"]}}
STILL = "*, *::before, *::after { transition: none !important; animation: none !important }"
UNFOLD = "() => document.querySelectorAll('details').forEach(each => { each.open = true })"
WHOLE_PAGE = "rules => axe.run(rules)"
ONE_OF_EACH_KIND = """rules => {
    const style = element => getComputedStyle(element);
    const ground = element => {
        while (element && style(element).backgroundColor === 'rgba(0, 0, 0, 0)') element = element.parentElement;
        return element && style(element).backgroundColor;
    };
    const kinds = new Map();
    for (const element of document.querySelectorAll('body *')) {
        const words = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
        if (!words || !element.checkVisibility()) continue;
        const {color, fontSize, fontWeight} = style(element);
        kinds.set([color, ground(element), fontSize, fontWeight].join(), element);
    }
    return axe.run({include: [...kinds.values()]}, rules);
}"""
MATHS = """() => ({
    asked: document.querySelectorAll('.math').length,
    typeset: document.querySelectorAll('.math > mjx-container').length,
    wrong: document.querySelectorAll('[data-mjx-error]').length,
})"""


@dataclass
class Visit:
    """What a browser met on one page."""

    requests: list  # addresses asked for
    errors: list  # of scripts, and files that were not found
    violations: list  # serious and critical ones, in light and dark and on a phone
    grounds: list  # background colours, light and dark
    maths: dict
    width_on_a_phone: int


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def host(built):
    """Where the site is served."""
    handler = functools.partial(QuietHandler, directory=built(""))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def tab(host, browser):
    """A page of the browser that reaches nothing but the site."""
    tab = browser.new_page()
    tab.route(lambda url: not url.startswith((host, "data:", "blob:")), lambda route: route.abort())
    yield tab
    tab.close()


@pytest.fixture(scope="module")
def visits(tab, host, built):
    """Every page of the site, visited once."""
    pages = [path.relative_to(built("")) for path in sorted(built("").rglob("*.html"))]
    return {page.as_posix(): visit(tab, host + page.as_posix()) for page in pages if "_static" not in page.parts}


def visit(tab, address):
    """Look at one page in light and dark with everything unfolded, then on a phone."""
    requests, errors, grounds = [], [], []
    listeners = {
        "request": lambda request: requests.append(request.url),
        "pageerror": lambda error: errors.append(str(error)),
        "response": lambda response: errors.append(response.url) if response.status >= 400 else None,
    }
    for event, listener in listeners.items():
        tab.on(event, listener)
    tab.set_viewport_size(DESK)
    tab.emulate_media(color_scheme="light")
    tab.goto(address)
    tab.evaluate("() => window.MathJax?.startup?.promise?.then(() => null)")
    maths = tab.evaluate(MATHS)
    tab.add_style_tag(content=STILL)
    tab.evaluate(UNFOLD)
    tab.evaluate(AXE)
    violations = serious(tab, WHOLE_PAGE, EVERYTHING)
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        tab.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
        grounds.append(tab.evaluate("() => getComputedStyle(document.body).backgroundColor"))
        violations += [f"{scheme}: {line}" for line in serious(tab, ONE_OF_EACH_KIND, CONTRAST)]
    tab.set_viewport_size(PHONE)
    violations += [f"phone: {line}" for line in settled(lambda: serious(tab, WHOLE_PAGE, SCROLLING))]
    width = tab.evaluate("() => document.documentElement.scrollWidth")
    for event, listener in listeners.items():
        tab.remove_listener(event, listener)
    return Visit(requests, errors, violations, grounds, maths, width)


def serious(tab, run, rules):
    """What axe finds on the page as it is, a line for each rule that is broken."""
    found = tab.evaluate(run, rules)["violations"]
    return [
        f"{violation['id']}, {len(violation['nodes'])} times: {violation['nodes'][0]['html']}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]


def settled(look):
    """What is found by looking again and again, until nothing is or the page has had its time."""
    end = time.monotonic() + SETTLED_SECONDS
    while (found := look()) and time.monotonic() < end:
        pass
    return found


def test_no_page_asks_another_host(visits, host):
    for name, visit in visits.items():
        assert not [url for url in visit.requests if not url.startswith((host, "data:", "blob:"))], name


def test_every_page_finds_what_it_asks_for_and_its_scripts_run(visits):
    assert not {name: visit.errors for name, visit in visits.items() if visit.errors}


def test_axe_finds_nothing_serious(visits):
    assert not {name: visit.violations for name, visit in visits.items() if visit.violations}


def test_no_page_is_wider_than_a_phone(visits):
    assert {name: visit.width_on_a_phone for name, visit in visits.items()} == dict.fromkeys(visits, PHONE["width"])


def test_maths_is_typeset(visits):
    for name, visit in visits.items():
        assert visit.maths["typeset"] == visit.maths["asked"], name
        assert visit.maths["wrong"] == 0, name
        if name in LESSONS:
            assert visit.maths["asked"], name


def test_a_page_is_light_or_dark_as_the_reader_likes(visits):
    assert {tuple(visit.grounds) for visit in visits.values()} == {("rgb(255, 255, 255)", "rgb(18, 18, 18)")}


def test_the_search_page_finds_a_word(tab, host):
    tab.goto(f"{host}search.html?q=proximal")
    tab.locator("#search-results a[href*='05_asking_for_zeros']").first.wait_for()


def test_search_opens_and_answers_from_the_keyboard(tab, host):
    tab.set_viewport_size(DESK)
    tab.goto(host + LESSONS[0])
    tab.keyboard.press("Control+k")
    tab.keyboard.type("pharynx")
    tab.locator("#pst-search-dialog a[href*='04_the_worm']").first.wait_for()


def test_an_answer_opens_from_the_keyboard(tab, host):
    tab.goto(host + LESSONS[2])
    answer = tab.locator("details", has=tab.locator("summary", has_text="Answer")).first
    inside = answer.locator("p").first
    assert not inside.is_visible()
    answer.locator("summary").focus()
    tab.keyboard.press("Enter")
    assert inside.is_visible()

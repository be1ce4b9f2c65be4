"""The web site, built once without an address and once with one: read as files, then in a real browser.

In the browser: every page in light and dark, on a phone and magnified, what it weighs, a lesson on paper, the search,
folded answers. Its panels stay still
here; test_site_panels.py moves them.
"""

import gzip
import io
import os
import re
import subprocess
import sys
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import axe_playwright_python
import pypdf
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from tools import lessons

pytestmark = pytest.mark.slow

SITE = lessons.ROOT / "site"
ADDRESS = "someone/some-course"
LESSONS = [f"notebooks/{path.stem}.html" for path in lessons.pages()]
TAUGHT = [f"notebooks/{path.stem}.html" for path in lessons.paths()]
TEXTS = [
    path.relative_to(lessons.ROOT).with_suffix(".html").as_posix()
    for pattern in ("CONTRIBUTING.md", "NOTICE.md", "docs/*.md", "data/*/README.md", "workshop/**/*.md")
    for path in sorted(lessons.ROOT.glob(pattern))
]
PAGES = ["index.html", "search.html", *LESSONS, *TEXTS]


def parsed(folder):
    """The pages of a site, by their path."""
    return {
        path.relative_to(folder).as_posix(): BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in folder.rglob("*.html")
        if "_static" not in path.parts
    }


@pytest.fixture(scope="module")
def pages(folder):
    """The site without an address."""
    return parsed(folder)


@pytest.fixture(scope="module")
def addressed_folder(built):
    return built(ADDRESS)


@pytest.fixture(scope="module")
def addressed(addressed_folder):
    """The site of a course that has an address."""
    return parsed(addressed_folder)


def links(page):
    """All addresses on a page."""
    return {element[name] for name in ("href", "src") for element in page.find_all(attrs={name: True})}


# ------------------------------------------------------------------------------------------------------------ pages


def test_every_lesson_and_text_is_a_page(pages):
    assert set(pages) == set(PAGES)


def test_every_page_has_a_title_and_a_description_of_its_own(pages):
    titles = {name: page.title.text for name, page in pages.items()}
    assert len(set(titles.values())) == len(titles), titles
    for name in PAGES:
        if name != "search.html":
            assert len(pages[name].find("meta", attrs={"name": "description"})["content"]) > 40, name
            assert pages[name].find("meta", property="og:title")["content"], name


def test_every_page_is_in_the_table_of_contents(pages):
    listed = {urldefrag(link["href"]).url for link in pages["index.html"].select(".bd-sidebar-primary nav a")}
    assert listed >= {*LESSONS, *TEXTS}


@pytest.mark.parametrize("address", ["", ADDRESS])
def test_links_inside_the_site_lead_somewhere(built, address):
    root = built(address).resolve()
    pages = parsed(root)
    anchors = {(root / name): {element["id"] for element in page.select("[id]")} for name, page in pages.items()}
    broken = []
    for name, page in pages.items():
        for link in links(page):
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (root / name).parent.joinpath(unquote(parts.path)).resolve() if parts.path else root / name
            if not target.is_file() or (parts.fragment and unquote(parts.fragment) not in anchors[target]):
                broken.append(f"{name}: {link}")
    assert not broken


def test_nothing_is_loaded_from_another_host(pages, folder):
    for name, page in pages.items():
        loaded = page.select("script[src], img[src], link[rel=stylesheet], link[rel=preload], link[rel=icon], iframe")
        outside = [str(element) for element in loaded if urlsplit(element.get("src") or element.get("href")).netloc]
        assert not outside, name
    for style in folder.rglob("*.css"):
        assert not re.search(r"(url\(|@import\s)\s*[\"']?(https?:)?//", style.read_text(encoding="utf-8")), style


def test_the_foot_of_every_page_leads_to_the_licences(pages, folder):
    for name, page in pages.items():
        foot = {link.text: urljoin(name, link["href"]).rstrip("#") for link in page.select("footer a")}
        assert foot["CC BY 4.0"] == "LICENSE-CC-BY-4.0.txt", name
        assert foot["MIT"] == foot["as published"] == "NOTICE.html", name
    assert (folder / "LICENSE-CC-BY-4.0.txt").read_bytes() == (lessons.ROOT / "LICENSE-CC-BY-4.0.txt").read_bytes()


# --------------------------------------------------------------------------------------------------------- contents


@pytest.mark.parametrize("path", lessons.pages(), ids=lambda path: path.name[:2])
def test_a_lesson_shows_its_saved_outputs(pages, folder, path):
    name = f"notebooks/{path.stem}.html"
    outputs = [output for cell in lessons.read(path).cells for output in cell.get("outputs", [])]
    text = pages[name].get_text()
    for output in outputs:
        if output.output_type == "stream":
            assert output.text.strip() in text
    saved = [BeautifulSoup(output.data.get("text/html", ""), "html.parser") for output in outputs if "data" in output]
    tables = [cell.text for html in saved for cell in html.select("table :is(caption, th, td)")]
    assert [cell.text for cell in pages[name].select(".cell_output table :is(caption, th, td)")] == tables
    saved = [BeautifulSoup(figure, "html.parser").img for figure in map(lessons.figure, outputs) if figure]
    shown = pages[name].select(".cell_output img")
    assert [image["alt"] for image in shown] == [image["alt"] for image in saved]
    for image in shown:
        with Image.open((folder / name).parent / image["src"]) as picture:
            across, down = picture.size
        assert abs(across - 2 * int(image["width"])) <= 1, "a figure has two pixels for each that is shown"
        assert abs(down - 2 * int(image["height"])) <= 1
        assert "max-width: 100%" in image["style"]


@pytest.mark.parametrize("path", lessons.pages(), ids=lambda path: path.name[:2])
def test_a_panel_is_explained_and_the_setup_is_folded(pages, path):
    page = pages[f"notebooks/{path.stem}.html"]
    panels = [cell for cell in lessons.read(path).cells if "panel" in lessons.tags(cell)]
    assert len(page.select(".cell.tag_panel .panel-note")) == len(panels)
    (setup,) = page.select(".cell.tag_setup")
    assert setup.details
    assert "open" not in setup.details.attrs
    assert "COURSE" in setup.details.pre.text
    assert "Show the code" in setup.summary.text
    assert "aria-label" not in setup.summary.attrs


def test_what_can_be_left_out_is_marked(pages):
    for path, name in zip(lessons.paths(), TAUGHT, strict=True):
        deeper = [
            cell.source.splitlines()[0] for cell in lessons.read(path).cells if f"## {lessons.DEEPER}" in cell.source
        ]
        marked = [section.find(["h2", "h3"]).get_text() for section in pages[name].select("section.deeper")]
        assert len(marked) == len(deeper)
        assert all(heading.startswith(lessons.DEEPER) for heading in marked)


def test_an_exercise_has_a_way_in_a_hint_and_a_solution(pages, addressed):
    for site, words in ((pages, ["on your machine"]), (addressed, ["on your machine", "in Colab", "in Binder"])):
        for path, name in zip(lessons.pages(), LESSONS, strict=True):
            cells = site[name].select(".cell.tag_exercise")
            assert len(cells) == len(lessons.cards(lessons.read(path)))
            for cell in cells:
                ways = {link.text: link["href"] for link in cell.select(".way-in a")}
                assert list(ways) == words
                assert ways["on your machine"] == "../index.html#two-commands"
                if "in Colab" in ways:
                    assert ways["in Colab"].endswith(f"/{ADDRESS}/blob/main/notebooks/{path.name}")
                    assert ways["in Binder"].endswith(f"/{ADDRESS}/main?urlpath=lab/tree/notebooks/{path.name}")
                folded = [below.summary.text for below in cell.find_next_siblings("details", limit=2)]
                assert folded == ["Hint", "Solution"]


def test_the_next_page_is_for_the_same_reader(pages):
    listed = {
        caption.text: [link["href"] for link in caption.find_next_sibling("ul").select("a")]
        for caption in pages["index.html"].select(".bd-sidebar-primary .caption")
    }
    assert listed["Lessons"] == LESSONS
    for section in listed.values():
        for before, name, after in zip([None, *section], section, [*section[1:], None], strict=False):
            found = {
                way: [urljoin(name, link["href"]) for link in pages[name].select(f".prev-next-area .{way}")]
                for way in ("left-prev", "right-next")
            }
            expected = before or ("index.html" if name == LESSONS[0] else None)
            assert found == {"left-prev": [expected] * bool(expected), "right-next": [after] * bool(after)}, name
    assert pages["index.html"].select_one(".right-next")["href"] == LESSONS[0]


def test_the_landing_page_maps_the_course(pages):
    cards = pages["index.html"].select(".course-map li")
    for card, path in zip(cards, lessons.pages(), strict=True):
        notebook = lessons.read(path)
        assert card.a["href"] == f"notebooks/{path.stem}.html"
        assert card.em.text == f"{lessons.minutes(notebook).core} min"
        assert card.a.text == lessons.title(notebook).translate(str.maketrans('"', "”")).replace("”", "“", 1)


def test_the_landing_page_shows_a_panel_with_words_for_it(pages):
    picture = pages["index.html"].select_one(".bd-article img")
    assert len(picture["alt"]) > 40
    assert picture["src"] in {link.removeprefix("../") for link in links(pages[TAUGHT[-1]])}


def test_the_scripts_are_small():
    scripts = (SITE / "static").glob("*.js")
    assert sum(len(script.read_text(encoding="utf-8").splitlines()) for script in scripts) < SCRIPTS_LINES


# ---------------------------------------------------------------------------------------------------------- address


def test_without_an_address_nothing_can_be_launched(pages):
    for name, page in pages.items():
        hosts = {urlsplit(link).netloc for link in links(page)}
        assert not hosts & {"colab.research.google.com", "mybinder.org"}, name
        assert not page.select("link[rel=canonical], .dropdown-launch-buttons, .dropdown-source-buttons"), name


def test_with_an_address_each_lesson_can_be_launched_and_edited(addressed):
    for name in LESSONS:
        notebook = name.replace(".html", ".ipynb")
        assert links(addressed[name]) >= {
            f"https://colab.research.google.com/github/{ADDRESS}/blob/main/{notebook}",
            f"https://mybinder.org/v2/gh/{ADDRESS}/main?urlpath=lab/tree/{notebook}",
            f"https://github.com/{ADDRESS}",
            f"https://github.com/{ADDRESS}/edit/main/{notebook}",
        }, name
        assert any(link.startswith(f"https://github.com/{ADDRESS}/issues/new") for link in links(addressed[name])), name


def test_with_an_address_the_landing_page_launches_the_first_lesson_and_is_edited_in_its_template(addressed):
    found = links(addressed["index.html"])
    assert f"https://colab.research.google.com/github/{ADDRESS}/blob/main/notebooks/{lessons.paths()[0].name}" in found
    assert f"https://github.com/{ADDRESS}/edit/main/site/index.md.jinja" in found
    assert f"https://github.com/{ADDRESS}/edit/main/index.md" not in found


def test_with_an_address_pages_and_sitemap_name_the_public_site(addressed, addressed_folder):
    public = "https://someone.github.io/some-course/"
    listed = set(re.findall(r"<loc>(.+?)</loc>", (addressed_folder / "sitemap.xml").read_text(encoding="utf-8")))
    assert listed == {public + name for name in PAGES if name != "search.html"}
    for name in (*LESSONS, *TEXTS):
        assert addressed[name].find("link", rel="canonical")["href"] == public + name
        assert addressed[name].find("meta", property="og:url")["content"] == public + name


def test_with_an_address_a_link_to_any_page_comes_with_a_picture(addressed, addressed_folder):
    with Image.open(addressed_folder / "_static" / "preview.png") as picture:
        size = [str(side) for side in picture.size]
    assert (addressed_folder / "_static" / "preview.png").stat().st_size < 300_000
    for name in ("index.html", *LESSONS, *TEXTS):
        said = {tag["property"]: tag["content"] for tag in addressed[name].select("meta[property^='og:image']")}
        assert said["og:image"] == "https://someone.github.io/some-course/_static/preview.png", name
        assert [said["og:image:width"], said["og:image:height"]] == size == ["1200", "630"], name
        assert len(said["og:image:alt"]) > 40, name
        assert addressed[name].find("meta", attrs={"name": "twitter:card"})["content"] == "summary_large_image", name


def test_without_an_address_no_page_names_a_picture_that_others_could_not_fetch(pages):
    assert not [name for name, page in pages.items() if page.select("meta[property^='og:image']")]


def test_a_malformed_address_is_refused(tmp_path):
    command = [sys.executable, str(SITE / "build.py"), "--output", str(tmp_path / "site"), "--address", "no slash"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "owner/name" in done.stderr
    assert not (tmp_path / "site").exists()


def article(tmp_path, markdown, address):
    """The text of a page written in Markdown, under the site's settings, and what Sphinx had to say."""
    source = tmp_path / "docs"
    source.mkdir()
    (source / "page.md").write_text(f"# A page\n\n{markdown}\n", encoding="utf-8")
    (tmp_path / "index.md").write_text("# Home\n\n## Two commands\n\n```{toctree}\ndocs/page\n```\n", encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", "-c", str(SITE), str(tmp_path)]
    done = subprocess.run(
        [*command, str(tmp_path / "built")],
        cwd=SITE,  # where Python then finds transforms.py
        env={**os.environ, "COURSE_ADDRESS": address},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return None, done.stderr
    page = BeautifulSoup((tmp_path / "built" / "docs" / "page.html").read_text(encoding="utf-8"), "html.parser")
    return page.select_one("article section"), done.stderr


REPOSITORY_LINKS = (
    "[LICENSE](../LICENSE), [the script](../data/celegans/build.py), [`data/celegans`](../data/celegans/), "
    "[the start](../README.md#two-commands)"
)


def test_links_to_files_that_are_no_pages_go_to_the_repository(tmp_path):
    page, _ = article(tmp_path, REPOSITORY_LINKS, ADDRESS)
    assert [link["href"] for link in page.select("p a")] == [
        f"https://github.com/{ADDRESS}/blob/main/LICENSE",
        f"https://github.com/{ADDRESS}/blob/main/data/celegans/build.py",
        f"https://github.com/{ADDRESS}/tree/main/data/celegans",
        "../index.html#two-commands",
    ]


def test_without_an_address_links_to_files_that_are_no_pages_are_words(tmp_path):
    page, _ = article(tmp_path, REPOSITORY_LINKS, "")
    assert page.p.text == "LICENSE, the script (data/celegans/build.py), data/celegans, the start"
    assert [link["href"] for link in page.select("p a")] == ["../index.html#two-commands"]


def test_a_link_to_nothing_stops_the_build(tmp_path):
    page, warnings = article(tmp_path, "[a file](../no_such_file.txt)", "")
    assert page is None
    assert "no_such_file.txt" in warnings


# ------------------------------------------------------------------------------------------------------ in a browser

PAPER = {"width": 680, "height": 985}  # A4 without its margins
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 800}
WIDTHS = (
    320,
    PHONE["width"],
    DESK["width"] // 2,
    992,
)  # a small phone, this one, 200 %, where the theme's sidebar comes
TEXT_FILES = {".css", ".html", ".js", ".json", ".svg"}  # what a server packs before it sends it
HOME_WEIGHT, TEXT_WEIGHT = 800_000, 300_000  # bytes sent for the home page, and for a page of words
SMALLEST_LETTERS = 7 * 96 / 72  # pixels; nothing in the figures is smaller than 7 points
LEGIBLE = 9  # pixels
SCRIPTS_LINES = 400  # of all scripts together: they help a page that works without them
SETTLED_SECONDS = 5  # some time after a change of width the theme makes what scrolls focusable
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
FIGURES = """() => [...document.querySelectorAll('.course-figure img')].map(figure => {
    const {paddingLeft, paddingRight} = getComputedStyle(figure);
    return (figure.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight)) / figure.getAttribute('width');
})"""
UNMARKED = """() => [...document.querySelectorAll('.bd-article *')].filter(box =>
    box.scrollWidth > box.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(box).overflowX)
    && !(box.tabIndex === 0 && /, scrolls sideways$/.test(box.ariaLabel) && box.role === 'group'
        && getComputedStyle(box).maskImage !== 'none')).map(box => box.outerHTML.slice(0, 200))"""
CUT = """boxes => [...document.querySelectorAll(boxes)].filter(box => box.scrollWidth > box.clientWidth)
    .map(box => box.outerHTML.slice(0, 200))"""
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
    shrunk: list  # on a phone: how large each figure is, of the size it was drawn for
    unmarked: list  # on a phone: what scrolls sideways and doesn't show it
    widths: dict  # {of the window: of the page}


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
    shrunk, unmarked, widths = tab.evaluate(FIGURES), settled(lambda: tab.evaluate(UNMARKED)), {}
    for width in WIDTHS:
        tab.set_viewport_size({"width": width, "height": PHONE["height"]})
        widths[width] = tab.evaluate("() => document.documentElement.scrollWidth")
    for event, listener in listeners.items():
        tab.remove_listener(event, listener)
    return Visit(requests, errors, violations, grounds, maths, shrunk, unmarked, widths)


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


@pytest.mark.browser
def test_no_page_asks_another_host(visits, host):
    for name, visit in visits.items():
        assert not [url for url in visit.requests if not url.startswith((host, "data:", "blob:"))], name


@pytest.mark.browser
def test_every_page_finds_what_it_asks_for_and_its_scripts_run(visits):
    assert not {name: visit.errors for name, visit in visits.items() if visit.errors}


@pytest.mark.browser
def test_axe_finds_nothing_serious(visits):
    assert not {name: visit.violations for name, visit in visits.items() if visit.violations}


@pytest.mark.browser
def test_no_page_is_wider_than_its_window(visits):
    wrong = {(name, at): width for name, visit in visits.items() for at, width in visit.widths.items() if width != at}
    assert not wrong


@pytest.mark.browser
def test_letters_in_figures_are_legible_on_a_phone(visits):
    sizes = {name: SMALLEST_LETTERS * min(visit.shrunk) for name, visit in visits.items() if visit.shrunk}
    assert set(sizes) >= set(TAUGHT)
    assert min(sizes.values()) > LEGIBLE - 0.1, sizes


def test_no_letters_are_smaller_than_what_is_taken_for_the_smallest():
    sources = [*lessons.paths(), *(lessons.ROOT / "lib" / "sparsecourse").rglob("*.py")]
    found = re.findall(r"(?:font|label)size=(\d+)", "".join(source.read_text(encoding="utf-8") for source in sources))
    assert min(map(int, found)) * 96 / 72 == SMALLEST_LETTERS


@pytest.mark.browser
def test_what_scrolls_sideways_shows_and_says_it(visits):
    assert not {name: visit.unmarked for name, visit in visits.items() if visit.unmarked}


@pytest.mark.browser
def test_pages_load_what_they_need_and_are_light(visits, host, folder):
    def sent(url):
        file = folder / unquote(urlsplit(url).path).lstrip("/")
        return len(gzip.compress(file.read_bytes())) if file.suffix in TEXT_FILES else file.stat().st_size

    for name, visit in visits.items():
        loaded = {url for url in visit.requests if url.startswith(host)}
        assert any("tex-svg.js" in url for url in loaded) == bool(visit.maths["asked"]), name
        assert not [url for url in loaded if "fontawesome.js" in url], name
        if name == "index.html" or name in TEXTS:
            assert sum(map(sent, loaded)) < (HOME_WEIGHT if name == "index.html" else TEXT_WEIGHT), name


@pytest.mark.browser
def test_maths_is_typeset(visits):
    for name, visit in visits.items():
        assert visit.maths["typeset"] == visit.maths["asked"], name
        assert visit.maths["wrong"] == 0, name
        if name in TAUGHT:
            assert visit.maths["asked"], name


@pytest.mark.browser
def test_a_page_is_light_or_dark_as_the_reader_likes(visits):
    assert {tuple(visit.grounds) for visit in visits.values()} == {("rgb(255, 255, 255)", "rgb(18, 18, 18)")}


@pytest.mark.browser
def test_the_search_page_finds_a_word(tab, host):
    tab.goto(f"{host}search.html?q=proximal")
    tab.locator("#search-results a[href*='05_asking_for_zeros']").first.wait_for()


@pytest.mark.browser
def test_search_opens_and_answers_from_the_keyboard(tab, host):
    tab.set_viewport_size(DESK)
    tab.goto(host + LESSONS[0])
    tab.keyboard.press("Control+k")
    tab.keyboard.type("pharynx")
    tab.locator("#pst-search-dialog a[href*='04_the_worm']").first.wait_for()


@pytest.mark.browser
def test_an_answer_opens_from_the_keyboard(tab, host):
    tab.goto(host + LESSONS[2])
    answer = tab.locator("details", has=tab.locator("summary", has_text="Answer")).first
    inside = answer.locator("p").first
    assert not inside.is_visible()
    answer.locator("summary").focus()
    tab.keyboard.press("Enter")
    assert inside.is_visible()


@pytest.mark.browser
def test_what_is_unfolded_on_a_phone_shows_that_it_scrolls(tab, host):
    tab.set_viewport_size(PHONE)
    tab.goto(host + LESSONS[4])
    tab.evaluate(UNFOLD)
    assert not settled(lambda: tab.evaluate(UNMARKED))


@pytest.mark.browser
def test_a_figure_scrolls_from_the_keyboard(tab, host):
    tab.set_viewport_size(PHONE)
    tab.goto(host + LESSONS[4])
    figure = tab.get_by_role("group", name="Figure, scrolls sideways").first
    figure.focus()
    tab.keyboard.press("ArrowRight")
    tab.wait_for_function(
        "box => box.scrollLeft > 0 && box.matches('.more-before.more-after')", arg=figure.element_handle()
    )


def squeezed(text):
    """A text without spaces, letters that are set as one taken apart."""
    return "".join(unicodedata.normalize("NFKC", text).split())


@pytest.mark.browser
@pytest.mark.parametrize("name", LESSONS)
def test_on_paper_nothing_is_cut(name, tab, host):
    tab.set_viewport_size(PAPER)
    tab.emulate_media(media="print", color_scheme="light")
    tab.goto(host + name)
    tab.evaluate(UNFOLD)
    cut = tab.evaluate(CUT, "pre, .output")
    tab.emulate_media(media="null")  # a PDF would otherwise show the screen
    assert not cut


@pytest.mark.browser
def test_on_a_phone_what_a_cell_printed_wraps(tab, host):
    tab.set_viewport_size(PHONE)
    for name in LESSONS:
        tab.goto(host + name)
        assert not tab.evaluate(CUT, ".cell_output pre"), name


@pytest.mark.browser
def test_on_paper_a_lesson_is_light_and_whole(tab, host):
    name = LESSONS[4]
    tab.set_viewport_size(DESK)
    tab.emulate_media(color_scheme="dark")
    tab.goto(host + name)
    tab.wait_for_function("() => document.documentElement.dataset.theme === 'dark'")
    tab.evaluate("""() => {
        window.printed = [];
        addEventListener('beforeprint', () => printed.push(document.documentElement.dataset.theme));
    }""")
    pdf = pypdf.PdfReader(io.BytesIO(tab.pdf(format="A4")))
    assert tab.evaluate("() => printed") == ["light"]
    words = squeezed("".join(page.extract_text() for page in pdf.pages))
    article = BeautifulSoup(tab.content(), "html.parser").select_one(".bd-article")
    for control in article.select("button"):
        control.decompose()
    folded = article.select("details:not(.above-input)")
    assert folded
    for text in (*folded, *article.select(".cell:not(.tag_hide-input, .tag_setup) .cell_input pre")):
        for line in text.get_text().splitlines():
            if not text.select(".math"):
                assert squeezed(line) in words, line
    assert sum(len(page.images) for page in pdf.pages) >= len(article.select("img"))
    tab.wait_for_function("() => document.documentElement.dataset.theme === 'dark'")
    assert not tab.locator("details[open]").count(), "afterwards all is as it was"

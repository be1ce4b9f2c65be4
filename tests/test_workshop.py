"""What is made for an instructor: slides that fit on a screen, and an answer book that is complete."""

import concurrent.futures
import re

import pypdf
import pytest

from sparsecourse.exercises import exercises
from sparsecourse.exercises.lesson12 import SHORT_FORM
from tools import lessons
from workshop import answers, material, parts, sheets, slides

NAMES = {path.name[:2]: path.stem for path in lessons.paths()}
NOTEBOOKS = {path.name[:2]: lessons.read(path) for path in lessons.paths()}

pytestmark = pytest.mark.slow

each_lesson = pytest.mark.parametrize("number", NOTEBOOKS)


# ------------------------------------------------------------------------------------------------------------- slides


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    """Folder of all decks."""
    folder = tmp_path_factory.mktemp("slides")
    slides.build(lessons.paths(), folder)
    return folder


@pytest.fixture(scope="module")
def sheet_decks(tmp_path_factory):
    """Folder with the deck of each run sheet."""
    folder = tmp_path_factory.mktemp("sheets")
    for name in sheets.read():
        slides.build_sheet(name, folder)
    return folder


@each_lesson
def test_a_deck_has_what_the_lesson_has(decks, number):
    """Sections, predictions with their answers, exercises, figures: all of them, in order; and no plumbing."""
    path = decks / f"{NAMES[number]}.html"
    page = path.read_text(encoding="utf-8")
    notebook = NOTEBOOKS[number]
    shown = [part.html for scene in slides.scenes(notebook) for part in scene.parts]
    for block in lessons.blocks(notebook):
        if block.role in ("predict", "lead", "answer"):
            wanted = [part.html for part in parts.paragraphs(block.text)]
            assert set(wanted) <= set(shown), block.text
        elif block.role == "section":
            assert f"<h2>{material.inline(block.text)}</h2>" in page
    for card in lessons.cards(notebook):
        assert page.count(f"Exercise {card.number} · {card.difficulty} · {card.minutes} min</p>") >= 1
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    pictures = [picture for cell in code for picture in slides.outputs(cell)[0]]
    texts = [re.search(r'alt="([^"]+)"', picture)[1] for picture in pictures]
    assert re.findall(r'<img alt="([^"]+)"', page) == texts
    saved = [output.get("data", {}).get("text/html", "") for cell in code for output in cell.outputs]
    rows = [row for html in saved if "<table" in html for row in re.findall(r"<tr>.*?</tr>", html) if "<td>" in row]
    assert [row for row in re.findall(r"<tr>.*?</tr>", page) if row in rows] == rows, "every row of a table, once"
    assert "google.colab" not in page


def test_the_list_of_decks_has_all(decks):
    listed = re.findall(r'<a href="(.+?)"', (decks / "index.html").read_text(encoding="utf-8"))
    assert listed == [f"{path.stem}{part}.html" for path in lessons.paths() for part in ("-core", "")]


@each_lesson
def test_the_core_has_a_deck_of_its_own(decks, number):
    """It is the lesson's deck without the slides that are marked as deeper."""
    whole, core = (slides.scenes(each) for each in (NOTEBOOKS[number], lessons.core(NOTEBOOKS[number])))
    kept = [part for scene in whole if not scene.deeper for part in scene.parts]
    assert [part for scene in core for part in scene.parts] == kept
    pages = {part: (decks / f"{NAMES[number]}{part}.html").read_text(encoding="utf-8") for part in ("-core", "")}
    assert 'class="depth"' not in pages["-core"]
    assert ('class="depth"' in pages[""]) == any(scene.deeper for scene in whole)


@pytest.mark.parametrize("name", sheets.read())
def test_the_deck_of_a_sheet_has_its_rows_in_order(sheet_decks, name):
    page = (sheet_decks / f"{name}.html").read_text(encoding="utf-8")
    sheet = sheets.read()[name]
    titles = re.findall(r"<h1>(.+?)</h1>", page)
    rows = [lessons.title(NOTEBOOKS[row.lesson]) if row.lesson else row.what for row in sheet.rows]
    wanted = [row for row in rows if row in sheets.PAUSES or row[:2] in NOTEBOOKS]
    assert [title for title in titles[1:-1] if title in rows] == wanted
    assert titles[0] in (sheet.title, rows[0])
    assert titles[-1] in ("What will you count from now on?", rows[-1])
    assert titles.count("The short form") == sum("short form" in row for row in rows)
    shown = re.findall(r">Exercise (\d+\.\d+) ·", page)
    assert list(dict.fromkeys(shown)) == [
        card.number for row in sheet.rows if row.lesson for card in lessons.cards(sheets.held(row))
    ]
    assert set(shown) == {exercise for row in sheet.rows for exercise in row.exercises}


MEASURE = """() => Reveal.getSlides().map(slide => {
    const {h, v} = Reveal.getIndices(slide);
    Reveal.slide(h, v, 999);
    const frame = slide.getBoundingClientRect();
    const inside = {right: frame.right - 50, bottom: frame.bottom - 38};
    const pieces = [...slide.querySelectorAll('h1, h2, .label, .part, .part > *, table, li, p:not(.notes p)')];
    const out = pieces.filter(piece => !piece.closest('.notes')).filter(piece => {
        const box = piece.getBoundingClientRect();
        return box.right > inside.right || box.bottom > inside.bottom;
    });
    const wide = [...slide.querySelectorAll('pre')].filter(box => box.scrollWidth > box.clientWidth);
    const sizes = pieces.filter(piece => piece.innerText).map(piece => parseFloat(getComputedStyle(piece).fontSize));
    return {
        title: slide.querySelector('h1, h2').innerText,
        overflow: slide.scrollHeight - slide.clientHeight,
        out: out.map(piece => piece.outerHTML.slice(0, 120)),
        wide: wide.length,
        pictures: [...slide.querySelectorAll('.picture img')].map(image => image.getBoundingClientRect().height),
        smallest: Math.min(...sizes),
        empty: !slide.innerText.trim(),
    };
})"""


@pytest.fixture
def open_page(browser):
    """Function that opens a file and returns (page, what went wrong): errors, and requests to any host."""
    contexts = []

    def opened(path, ready):
        context = browser.new_context(viewport={"width": 1280, "height": 720})
        contexts.append(context)
        page, wrong = context.new_page(), []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        context.on(
            "request",
            lambda request: (
                None if request.url.startswith(("file:", "data:", "about:", "blob:")) else wrong.append(request.url)
            ),
        )
        page.goto(path.as_uri())
        page.wait_for_function(ready)
        return page, wrong

    yield opened
    for context in contexts:
        context.close()


READY = "() => window.Reveal && Reveal.isReady && Reveal.isReady()"


def assert_every_slide_fits(path, open_page):
    page, wrong = open_page(path, READY)
    for slide in page.evaluate(MEASURE):
        assert slide["overflow"] <= 0, slide
        assert not slide["out"], slide
        assert not slide["wide"], slide
        assert not slide["empty"], slide
        assert slide["smallest"] >= 18, slide
        assert all(height >= 200 for height in slide["pictures"]), slide
    assert not wrong


@pytest.mark.parametrize("number", NOTEBOOKS, ids=[f"lesson {number}" for number in NOTEBOOKS])
@pytest.mark.browser
def test_every_slide_fits(decks, open_page, number):
    assert_every_slide_fits(decks / f"{NAMES[number]}.html", open_page)


@pytest.mark.parametrize("name", sheets.read())
@pytest.mark.browser
def test_every_slide_of_a_sheet_fits(sheet_decks, open_page, name):
    assert_every_slide_fits(sheet_decks / f"{name}.html", open_page)


@pytest.mark.browser
def test_keys_and_speaker_notes(decks, open_page):
    path = decks / f"{NAMES['02']}.html"
    page, wrong = open_page(path, READY)
    page.keyboard.press("ArrowRight")
    assert page.evaluate("() => Reveal.getIndices().h") == 1
    with page.expect_popup() as popup:
        page.keyboard.press("s")
    spoken = popup.value.locator(".speaker-controls-notes .value")
    page.keyboard.press("ArrowRight")
    spoken.get_by_text("At 80 % sparsity 12 of 60 lines are left").wait_for(timeout=20_000)
    assert not wrong


# -------------------------------------------------------------------------------------------------------- answer book


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Folder of the answer book; with the PDF where a browser is there."""
    folder = tmp_path_factory.mktemp("answers")
    with concurrent.futures.ThreadPoolExecutor() as pool:  # a thread of its own: Playwright has one session in each
        pool.submit(answers.build, folder).result()
    return folder


def test_the_book_has_every_prediction_and_exercise_once(book):
    page = (book / "answers.html").read_text(encoding="utf-8")
    assert re.findall(r'id="exercise-([\d.]+)"', page) == list(exercises())
    asked = sum(cell.source.count("**Predict.**") for notebook in NOTEBOOKS.values() for cell in notebook.cells)
    assert page.count('<article class="prediction">') == asked
    for notebook in NOTEBOOKS.values():
        for block in lessons.blocks(notebook):
            if block.role in ("predict", "answer", "hint", "solution"):
                first = material.html(lessons.paragraphs(block.text)[0]).strip()
                assert first in page, block.text
    for exercise in exercises().values():
        assert all(text in page for text in answers.said(exercise)), exercise.number


@pytest.mark.browser
def test_the_printed_book(book):
    """Every solution stands in the PDF letter by letter, so nothing is clipped; the contents have the right pages."""
    pages = [page.extract_text() for page in pypdf.PdfReader(book / "answers.pdf").pages]
    assert 30 <= len(pages) <= 80
    together = "".join("".join(pages).split())
    for notebook in NOTEBOOKS.values():
        for card in lessons.cards(notebook):
            assert "".join(card.solution.split()) in together, card.number
        title = lessons.title(notebook)
        named = re.search(rf"{re.escape(title)}\s*(\d+)", pages[0])
        assert named, f"the contents have no page for {title}"
        assert title in "\n".join(pages[int(named[1]) - 1].splitlines()[:3])
    for number, text in enumerate(pages[1:], start=2):
        assert re.search(rf"^{number}Answer book|Networks\n{number}$", text, re.MULTILINE), f"page {number}"


@pytest.mark.browser
def test_the_book_asks_no_other_host(book, open_page):
    page, wrong = open_page(book / "answers.html", "() => document.querySelectorAll('mjx-container').length > 20")
    assert page.locator("mjx-merror").count() == 0
    assert not wrong


def test_the_short_form_on_paper(book):
    """Its questions with all that is given, their boxes, and no answer."""
    page = (book / "short_form.html").read_text(encoding="utf-8")
    assert tuple(re.findall(r'id="question-([\d.]+)"', page)) == SHORT_FORM
    notebook = lessons.read(lessons.NOTEBOOKS / f"{lessons.SELF_TEST}.ipynb")
    for card in lessons.cards(notebook):
        question = notebook.cells[card.stub - 1].source.split("\n\n", 1)[1]
        assert (material.html(question).strip() in page) == (card.number in SHORT_FORM)
    assert page.count('class="box"') == 2 * len(SHORT_FORM)
    assert "np.array" in re.sub(r"<[^>]+>", "", page)
    assert "Solution" not in page


@pytest.mark.browser
def test_the_printed_short_form_is_one_page(book):
    assert len(pypdf.PdfReader(book / "short_form.pdf").pages) == 1

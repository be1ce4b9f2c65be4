"""What an instructor has: the guide agrees with the notebooks, slides fit on a screen, the answer book is complete."""

import concurrent.futures
import itertools
import re
import sys
from dataclasses import dataclass

import lessons
import pypdf
import pytest
from browsers import in_a_browser

from sparsecourse.exercises import exercises

WORKSHOP = lessons.ROOT / "workshop"
sys.path.insert(0, str(WORKSHOP))

import answers  # noqa: E402
import material  # noqa: E402
import slides  # noqa: E402

NOTEBOOKS = {path.name[:2]: lessons.read(path) for path in lessons.paths()}
GUIDE = (WORKSHOP / "README.md").read_text(encoding="utf-8")
NOTES = {
    note[:2]: note for note in re.split(r"^## ", (WORKSHOP / "lessons.md").read_text(encoding="utf-8"), flags=re.M)[1:]
}
PARTS = (
    "Aim.",
    "They leave with",
    "Where they get stuck",
    "Ask the room",
    "Panel.",
    "May be skipped",
    "For the whole room.",
)
SLANTED = re.compile(r"(?<!\*)\*([^*\n]+)\*(?!\*)")
AT_A_STRETCH = 105  # minutes without a break

each_lesson = pytest.mark.parametrize("number", NOTEBOOKS)


def sections(number):
    """Headings within a lesson."""
    return {block.text for block in material.blocks(NOTEBOOKS[number]) if block.role == "section"}


def panel_sections(number):
    """Headings of a lesson below which a panel stands."""
    found, heading = set(), None
    for block in material.blocks(NOTEBOOKS[number]):
        heading = block.text if block.role == "section" else heading
        found |= {heading} if block.role == "panel" else set()
    return found


def numbers(text):
    """The numbers of a text that are measured: with a decimal point, a thousands separator, or per cent."""
    found = set(re.findall(r"\d+(?:[.,]\d+)+", text)) | set(re.findall(r"(\d+(?:\.\d+)?) ?%", text))
    return found - set(exercises())


# -------------------------------------------------------------------------------------------- the guide: lesson notes


def test_every_lesson_has_notes_in_order():
    titles = [note.splitlines()[0] for note in NOTES.values()]
    assert titles == [lessons.title(notebook) for notebook in NOTEBOOKS.values()]


@each_lesson
def test_notes_name_minutes_and_exercises_of_the_lesson(number):
    minutes, line = re.match(r"(\d+) minutes · (.+)", NOTES[number].splitlines()[2]).groups()
    cards = "; ".join(f"{card.number} {card.title} ({card.minutes})" for card in lessons.cards(NOTEBOOKS[number]))
    assert (int(minutes), line) == (lessons.minutes(NOTEBOOKS[number]), cards)


@each_lesson
def test_notes_have_all_parts(number):
    assert re.findall(r"^\*\*([A-Z].+?)\*\*", NOTES[number], flags=re.M) == list(PARTS)
    asked = NOTES[number].split("**Ask the room**")[1].split("**Panel.**")[0]
    questions = re.findall(r"^\d\. .+", asked, flags=re.M)
    assert 2 <= len(questions) <= 3
    assert all(" → " in question for question in questions), "a question needs its answer after an arrow"


@each_lesson
def test_notes_name_headings_and_exercises_that_exist(number):
    assert set(SLANTED.findall(NOTES[number])) <= sections(number)
    assert set(re.findall(r"\*\*(\d+\.\d+)\*\*", NOTES[number])) <= set(exercises())
    shown = NOTES[number].split("**Panel.**")[1].split("**May be skipped")[0]
    assert set(SLANTED.findall(shown)) & panel_sections(number), "the panel stands in another section"


@each_lesson
def test_quoted_sentences_are_what_the_checker_says(number):
    stuck = NOTES[number].split("**Where they get stuck**")[1].split("**Ask the room**")[0]
    quoted = re.findall(r'^- \*\*(\d+\.\d+)\*\* .*?→ "(.+)"$', stuck, flags=re.M)
    assert quoted, "no mistake is quoted"
    for exercise, sentence in quoted:
        assert sentence in [mistake.sentence for mistake in exercises()[exercise].mistakes], exercise


@each_lesson
def test_measured_numbers_are_those_of_the_lesson(number):
    printed = [slides.outputs(cell)[1] for cell in NOTEBOOKS[number].cells if cell.cell_type == "code"]
    page = "\n".join([cell.source for cell in NOTEBOOKS[number].cells] + list(itertools.chain(*printed)))
    known = set(re.findall(r"\d+(?:[.,]\d+)*", page))
    assert numbers(NOTES[number].split("\n", 3)[3]) <= known


# ---------------------------------------------------------------------------------------------- the guide: run sheets


@dataclass(frozen=True)
class Row:
    """A line of a run sheet."""

    at: str
    minutes: int
    lesson: str
    what: str
    exercises: tuple
    left_out: str


def sheet(markdown):
    """The rows of a run sheet."""
    rows = []
    for line in re.findall(r"^\| (\d+:\d\d .+) \|$", markdown, flags=re.M):
        at, minutes, lesson, what, held, left_out = (cell.strip() for cell in line.split("|"))
        rows.append(Row(at, int(minutes), lesson, what, tuple(held.replace("none", "").split()), left_out))
    return rows


SHEETS = {
    name: (int(minutes), sheet(body))
    for name, minutes, body in re.findall(r"^### ([^\n]+): (\d+) minutes\n(.*?)(?=^##|\Z)", GUIDE, flags=re.M | re.S)
}
FIRST, SECOND = "Two days, the first", "Two days, the second"
COURSES = {name: rows for name, (_, rows) in SHEETS.items() if name not in (FIRST, SECOND)}
COURSES["Two days"] = SHEETS[FIRST][1] + SHEETS[SECOND][1]


def test_there_are_three_sheets():
    assert list(COURSES) == ["Half a day", "A full day", "Two days"]


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_adds_up(name):
    length, rows = SHEETS[name]
    starts = itertools.accumulate((row.minutes for row in rows), initial=0)
    assert [row.at for row in rows] == [f"{start // 60}:{start % 60:02}" for start in list(starts)[:-1]]
    assert sum(row.minutes for row in rows) == length


@pytest.mark.parametrize("name", SHEETS)
def test_nobody_sits_too_long(name):
    pauses = itertools.groupby(SHEETS[name][1], key=lambda row: row.what in ("Break", "Lunch"))
    stretches = [sum(row.minutes for row in rows) for is_pause, rows in pauses if not is_pause]
    assert len(stretches) > 1
    assert max(stretches) <= AT_A_STRETCH


@pytest.mark.parametrize("name", COURSES)
def test_a_sheet_takes_the_lessons_minutes(name):
    for number in sorted({row.lesson for row in COURSES[name]} - {""}):
        rows = [row for row in COURSES[name] if row.lesson == number]
        held = [exercise for row in rows for exercise in row.exercises]
        left = [exercise for row in rows for exercise in re.findall(r"\d+\.\d+", row.left_out)]
        cards = {card.number: card.minutes for card in lessons.cards(NOTEBOOKS[number])}
        assert sorted(held + left) == sorted(cards), f"{number}: each exercise is held or left out, once"
        spent, whole = sum(row.minutes for row in rows), lessons.minutes(NOTEBOOKS[number])
        if any(row.left_out for row in rows):
            assert sum(cards[exercise] for exercise in held) < spent < whole, number
        else:
            assert spent == whole, number


@pytest.mark.parametrize("name", COURSES)
def test_no_lesson_comes_before_what_it_builds_on(name):
    order = [row.lesson for row in COURSES[name] if row.lesson]
    assert order == sorted(order)
    for number in order:
        needed = re.findall(r"\[(\d\d) · ", material.goals(NOTEBOOKS[number])[1])
        assert set(needed) <= set(order[: order.index(number)]), number


@pytest.mark.parametrize("name", COURSES)
def test_a_sheet_names_headings_that_exist(name):
    for row in COURSES[name]:
        named = set(SLANTED.findall(f"{row.what} {row.left_out}"))
        assert named <= (sections(row.lesson) if row.lesson else set()), row.at


def test_links_of_the_guide_lead_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)\)", GUIDE):
        assert (WORKSHOP / target).exists(), target


# ------------------------------------------------------------------------------------------------------------- slides


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    """Folder of all decks."""
    folder = tmp_path_factory.mktemp("slides")
    slides.build(lessons.paths(), folder)
    return folder


@each_lesson
def test_a_deck_has_what_the_lesson_has(decks, number):
    """Sections, predictions with their answers, exercises, figures: all of them, in order; and no plumbing."""
    (path,) = decks.glob(f"{number}_*.html")
    page = path.read_text(encoding="utf-8")
    notebook = NOTEBOOKS[number]
    shown = [part.html for scene in slides.scenes(notebook) for part in scene.parts]
    for block in material.blocks(notebook):
        if block.role in ("predict", "lead", "answer"):
            wanted = [part.html for part in slides.paragraphs(block.text)]
            assert set(wanted) <= set(shown), block.text
        elif block.role == "section":
            assert f"<h2>{material.inline(block.text)}</h2>" in page
    for card in lessons.cards(notebook):
        assert page.count(f"Exercise {card.number} · {card.difficulty} · {card.minutes} min</p>") >= 1
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    pictures = [picture for cell in code for picture in slides.outputs(cell)[0]]
    texts = [re.search(r'alt="([^"]+)"', picture)[1] for picture in pictures]
    assert re.findall(r'<img alt="([^"]+)"', page) == texts
    assert "google.colab" not in page


def test_the_list_of_decks_has_all(decks):
    listed = re.findall(r'<a href="(.+?)"', (decks / "index.html").read_text(encoding="utf-8"))
    assert listed == [f"{path.stem}.html" for path in lessons.paths()]


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


@pytest.mark.parametrize("number", NOTEBOOKS, ids=[f"lesson {number}" for number in NOTEBOOKS])
@pytest.mark.browser
@in_a_browser
def test_every_slide_fits(decks, open_page, number):
    (path,) = decks.glob(f"{number}_*.html")
    page, wrong = open_page(path, READY)
    for slide in page.evaluate(MEASURE):
        assert slide["overflow"] <= 0, slide
        assert not slide["out"], slide
        assert not slide["wide"], slide
        assert not slide["empty"], slide
        assert slide["smallest"] >= 18, slide
        assert all(height >= 200 for height in slide["pictures"]), slide
    assert not wrong


@pytest.mark.browser
@in_a_browser
def test_keys_and_speaker_notes(decks, open_page):
    (path,) = decks.glob("02_*.html")
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
        for block in material.blocks(notebook):
            if block.role in ("predict", "answer", "hint", "solution"):
                first = material.html(material.PARAGRAPH.findall(block.text)[0]).strip()
                assert first in page, block.text
    for exercise in exercises().values():
        assert all(text in page for text in answers.said(exercise)), exercise.number


@pytest.mark.browser
@in_a_browser
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
@in_a_browser
def test_the_book_asks_no_other_host(book, open_page):
    page, wrong = open_page(book / "answers.html", "() => document.querySelectorAll('mjx-container').length > 20")
    assert page.locator("mjx-merror").count() == 0
    assert not wrong

"""The answer book: every prediction and every exercise of the course with its answer: python workshop/answers.py
Beside it the short form of the self-test, a page of questions for those without a laptop.

It is made from the folded parts of the notebooks, as one HTML page, and as a PDF where a browser is there to print it.
Where a prediction is answered by running the next cell, the book has what the lesson reads off the result. The
mistakes are those that the checker knows, with what it says to them.
"""

from dataclasses import dataclass

import pypdf

from sparsecourse.exercises import exercises
from sparsecourse.exercises.lesson12 import SHORT_FORM
from tools import browser, lessons
from workshop import material
from workshop.material import html, inline


@dataclass(frozen=True)
class Prediction:
    """A question of a lesson, and its answer as HTML.

    Attributes:
        section: heading that it stands under.
        question: what is asked.
        answer: the folded answer, or what the lesson reads off the cells that follow.
        measured: the answer is read off a result.
        deeper: it belongs to what is deeper.
    """

    section: str
    question: str
    answer: str
    measured: bool
    deeper: bool


@dataclass(frozen=True)
class Solved:
    """An exercise with all that belongs to it; texts as HTML.

    Attributes:
        card: its card, from ``lessons.cards``.
        question: what is asked.
        hint: the hint.
        solution: the solution, with the words around it.
        mistakes: what the checker says to each mistake that it knows.
    """

    card: lessons.Card
    question: str
    hint: str
    solution: str
    mistakes: tuple


def entries(notebook):
    """The predictions and exercises of a lesson in the order of the page.

    Args:
        notebook: a lesson, from ``lessons.read``.

    Raises:
        ValueError: a prediction has no answer, neither folded nor read off a result.
    """
    row, found, section = lessons.blocks(notebook), [], ""
    cards, known = {card.number: card for card in lessons.cards(notebook)}, exercises()
    for place, block in enumerate(row):
        if block.role == "section":
            section = inline(block.text)
        elif block.role == "predict" and not block.follows:
            lead = row[place - 1].text if row[place - 1].role == "lead" else ""
            found.append(prediction(section, lead, row[place:]))
        elif block.role == "exercise" and not block.follows:
            number = lessons.CARD.match(block.text)["number"]
            part = {role: texts(row[place + 1 :], role) for role in ("exercise", "hint", "solution")}
            found.append(Solved(cards[number], *part.values(), tuple(said(known[number]))))
    return found


def prediction(section, lead, row):
    """The prediction that a row of blocks begins with, and what leads to it."""
    question = html(lead) + texts(row, "predict")
    rest = row[1:]
    folded = next((block for block in rest if block.role in ("answer", "read")), None)
    if folded is None:
        raise ValueError(f"nothing answers this prediction: {row[0].text}")
    return Prediction(section, question, texts(rest, folded.role), folded.role == "read", row[0].deeper)


def texts(row, role):
    """HTML of the first blocks of this role in a row, as far as they stand together."""
    start = next(place for place, block in enumerate(row) if block.role == role)
    end = next((place for place in range(start, len(row)) if row[place].role != role), len(row))
    return html("\n\n".join(block.text for block in row[start:end]))


def said(exercise):
    """What the checker says to each catalogued mistake, as HTML; a part of it where it names the answer's numbers."""
    for mistake in exercise.mistakes:
        begins = "… " if exercise.accept else ""
        ends = "" if mistake.sentence[-1] in ".?:" else " …"
        yield inline(f"{begins}{mistake.sentence}{ends}")


def book():
    """The answer book as a page of HTML."""
    chapters = []
    for path in lessons.pages():
        notebook = lessons.read(path)
        chapters.append(
            {"id": f"lesson-{path.name[:2]}", "title": lessons.title(notebook), "entries": entries(notebook)}
        )
    return material.template("answers.html").render(
        chapters=chapters, exercises=sum(isinstance(entry, Solved) for c in chapters for entry in c["entries"])
    )


def short_form():
    """The questions of the self-test's short form as a page of HTML, with boxes to answer before and after."""
    notebook = lessons.read(lessons.NOTEBOOKS / f"{lessons.SELF_TEST}.ipynb")
    questions = []
    for entry in entries(notebook):
        if entry.card.number in SHORT_FORM:
            given = notebook.cells[entry.card.stub].source.partition("answer = ...")[0].strip()
            questions.append((entry, html(f"```python\n{given}\n```") if given else ""))
    return material.template("short_form.html").render(questions=questions)


def print_pdf(page_file, pdf_file):
    """Print a page in a browser, twice: page numbers for the contents are known once it has been printed.

    Args:
        page_file: the page as HTML.
        pdf_file: where the PDF goes.

    Returns:
        Whether a browser was there to print it.
    """
    if browser.PATH is None:
        print(f"no PDF: {browser.MISSING}. Open the page in any browser and print it.")
        return False
    with browser.launched() as running:
        page = running.new_page()
        page.goto(page_file.resolve().as_uri())
        page.evaluate("() => MathJax.startup.promise")
        options = {"path": pdf_file, "prefer_css_page_size": True, "print_background": True, "outline": True}
        page.pdf(**options, tagged=True)
        printed = pypdf.PdfReader(pdf_file)
        places = {
            name.removeprefix("/"): printed.get_destination_page_number(place) + 1
            for name, place in printed.named_destinations.items()
        }
        page.evaluate(
            "places => document.querySelectorAll('.contents a').forEach(link => {"
            "link.querySelector('.page').textContent = places[link.hash.slice(1)] })",
            places,
        )
        page.pdf(**options, tagged=True)
    return True


def build(folder):
    """Write the answer book and the short form of the self-test, as HTML and, where that can be, as PDF.

    Args:
        folder: where to.
    """
    material.copy_assets(folder / "assets", material.MATHJAX, ("answers.css", "code.css"))
    for name, text in (("answers", book()), ("short_form", short_form())):
        page, pdf = folder / f"{name}.html", folder / f"{name}.pdf"
        material.write(page, text)
        if print_pdf(page, pdf):
            material.tell(pdf)


if __name__ == "__main__":
    build(material.BUILD / "answers")

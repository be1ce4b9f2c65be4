"""The lessons as data, and running them: what the tests, `make execute` and `make times` share.

python tests/lessons.py execute [part of a name]    run lessons in clean kernels and write their outputs
python tests/lessons.py times                       measure every lesson and write the README's course map
"""

import argparse
import copy
import os
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient

os.environ["SPARSECOURSE_PROGRESS"] = "off"  # a lesson that is run here is no learner's

ROOT = Path(__file__).parent.parent
NOTEBOOKS = ROOT / "notebooks"
CELL_SECONDS = 120
WIDGET = "application/vnd.jupyter.widget-view+json"
SAMPLE_SECONDS = 0.02  # how often memory is looked at
MAP_BEGIN, MAP_END = "<!-- course map: written by make times -->", "<!-- end of course map -->"
CARD = re.compile(
    r"#### Exercise (?P<number>\d+\.\d+) · (?P<title>.+?)   (?P<difficulty>[●○]{3}) · (?P<minutes>\d+) min"
)


def paths():
    """The lessons in their order."""
    return sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def read(path):
    """A lesson as a notebook node."""
    return nbformat.read(path, as_version=4)


def tags(cell):
    """A cell's tags, as a set."""
    return set(cell.metadata.get("tags", []))


def title(notebook):
    """The text of a lesson's first heading."""
    return re.search(r"^# (.+)$", notebook.cells[0].source, re.MULTILINE).group(1)


def minutes(notebook):
    """The minutes that a lesson says it takes."""
    return int(re.search(r"\*\*Time:\*\* (\d+) minutes", notebook.cells[0].source).group(1))


# ------------------------------------------------------------------------------------------------------- exercises


@dataclass(frozen=True)
class Card:
    """One exercise as it stands in a lesson."""

    number: str
    title: str
    difficulty: str
    minutes: int
    stub: int  # index of the code cell
    hint: str
    solution: str


def cards(notebook):
    """The exercises of a lesson: heading, then the code cell tagged `exercise`, then hint and solution.

    Raises:
        ValueError: a part of a card is missing or stands in the wrong place.
    """
    found = []
    for index, cell in enumerate(notebook.cells):
        if "exercise" not in tags(cell):
            continue
        heading = CARD.search(notebook.cells[index - 1].source)
        if not heading:
            raise ValueError(
                f"cell {index} is an exercise; the cell above it must hold its card, as in "
                f"'#### Exercise 2.1 · Count the zeros   ●○○ · 4 min' with three spaces:\n{cell.source}"
            )
        below = notebook.cells[index + 1].source
        hint, solution = details(below, "Hint"), details(below, "Solution")
        fence = re.search(r"```python\n(.*?)\n```", solution or "", re.DOTALL)
        if not hint or not fence:
            raise ValueError(
                f"exercise {heading['number']} needs Hint and Solution in the one cell below it, each in <details> "
                "with blank lines around its content, the solution as a Python fence"
            )
        found.append(
            Card(
                heading["number"],
                heading["title"],
                heading["difficulty"],
                int(heading["minutes"]),
                index,
                hint,
                fence[1],
            )
        )
    return found


def details(markdown, summary):
    """The text inside `<details><summary>…</summary>`, or None."""
    found = re.search(
        rf"<details>\s*<summary>{re.escape(summary)}</summary>\n\n(.*?)\n\n</details>", markdown, re.DOTALL
    )
    return found[1] if found else None


def solved(notebook):
    """A copy of a lesson with each stub replaced by its solution; the stub's last line, the check, stays."""
    answered = copy.deepcopy(notebook)
    for card in cards(notebook):
        cell = answered.cells[card.stub]
        cell.source = f"{card.solution}\n\n{cell.source.splitlines()[-1]}"
    return answered


# --------------------------------------------------------------------------------------------------------- running


@dataclass(frozen=True)
class Run:
    """What came of running a lesson."""

    notebook: nbformat.NotebookNode
    seconds: float  # kernel start included
    peak: int  # largest resident memory of the kernel, bytes


def run(notebook):
    """Run a copy of a notebook in a clean kernel.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raised.
    """
    notebook = copy.deepcopy(notebook)
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        record_timing=False,
        coalesce_streams=True,
    )
    start, peak, done = time.perf_counter(), 0, threading.Event()

    def watch():
        nonlocal peak
        while not done.wait(SAMPLE_SECONDS):
            pid = getattr(getattr(client.km, "provisioner", None), "pid", None)
            try:
                peak = max(peak, psutil.Process(pid).memory_info().rss if pid else 0)
            except psutil.NoSuchProcess:
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        client.execute()
    finally:
        done.set()
        watcher.join()
    return Run(notebook, time.perf_counter() - start, peak)


def execute(path):
    """Run a lesson in a clean kernel and write its outputs into its file, in a form that is kind to diffs."""
    notebook = run(read(path)).notebook
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        kept = {"tags", "jupyter", "cellView"}
        cell.metadata = nbformat.from_dict({key: value for key, value in cell.metadata.items() if key in kept})
        if cell.cell_type == "code":  # a saved widget, panel or progress bar, would show as its raw text
            cell.outputs = [output for output in cell.outputs if WIDGET not in output.get("data", {})]
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def measure_times():
    """Run every lesson and write the course map's table into the README."""
    rows = ["| lesson | to learn | to run | memory |", "|---|---|---|---|"]
    for path in paths():
        notebook = read(path)
        result = run(notebook)
        name = f"[{title(notebook)}](notebooks/{path.name})"
        rows.append(f"| {name} | {minutes(notebook)} min | {result.seconds:.0f} s | {result.peak / 1e6:.0f} MB |")
        print(rows[-1], flush=True)
    readme = ROOT / "README.md"
    head, rest = readme.read_text(encoding="utf-8").split(MAP_BEGIN)
    tail = rest.split(MAP_END)[1]
    table = "\n".join([MAP_BEGIN, "", *rows, "", MAP_END])
    readme.write_text(f"{head}{table}{tail}", encoding="utf-8", newline="\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["execute", "times"])
    parser.add_argument("lesson", nargs="?", default="", help="part of a notebook's name")
    arguments = parser.parse_args()
    if arguments.what == "times":
        measure_times()
        return
    chosen = [path for path in paths() if arguments.lesson in path.name]
    if not chosen:
        raise SystemExit(f"no notebook's name contains {arguments.lesson!r}")
    for path in chosen:
        execute(path)
        print(path.name, flush=True)


if __name__ == "__main__":
    main()

"""Running lessons in clean kernels: what the tests, `make execute` and `make times` share.

python -m tools.run execute [part of a name]    run lessons and write their outputs; --figures png: figures as PNG
python -m tools.run minutes                     count what to learn takes; write it into heads and README
python -m tools.run times                       the same, and measure what to run takes
"""

import argparse
import copy
import os
import re
import time
from dataclasses import dataclass

import nbformat
from nbclient import NotebookClient

from sparsecourse import plots
from tools import lessons, marked, memory, minutes

CELL_SECONDS = 120
WIDGET = "application/vnd.jupyter.widget-view+json"
MAP_BEGIN, MAP_END = "<!-- course map: written by make times -->", "<!-- end of course map -->"


@dataclass(frozen=True)
class Run:
    """What came of running a lesson.

    Attributes:
        notebook: the lesson with its outputs.
        seconds: what it took, kernel start included.
        peak: largest resident memory of the kernel, in bytes.
    """

    notebook: nbformat.NotebookNode
    seconds: float
    peak: int


def run_notebook(notebook, figures="html"):
    """Run a copy of a notebook in a clean kernel, in the lessons' folder.

    Args:
        notebook: a lesson, from ``lessons.read``.
        figures: the form in which they are shown, "html" or "png".

    Returns:
        A ``Run``.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raised.
    """
    notebook = copy.deepcopy(notebook)
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(lessons.NOTEBOOKS)}},
        record_timing=False,
        coalesce_streams=True,
    )

    def kernel():
        pid = getattr(getattr(client.km, "provisioner", None), "pid", None)  # None until it has started
        return {"kernel": memory.resident(pid) if pid else 0}

    start = time.perf_counter()
    with memory.peak(kernel) as largest:
        environment = {"SPARSECOURSE_PROGRESS": "off", plots.FIGURES: figures}  # what is run here is no learner's
        client.execute(env=os.environ | environment)
    return Run(notebook, time.perf_counter() - start, largest["kernel"])


def execute(path, figures=None):
    """Run a lesson in a clean kernel and write its outputs into its file, in a form that is kind to diffs.

    Args:
        path: where the notebook lies.
        figures: the form of its figures, "html" or "png"; None keeps the one that they are saved in.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raised; nothing was written.
    """
    saved = lessons.tagged(lessons.read(path))
    notebook = run_notebook(saved, figures or lessons.figures_form(saved)).notebook
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


@dataclass(frozen=True)
class Measured:
    """What the course map says of running a lesson.

    Attributes:
        seconds: what it took, rounded.
        megabytes: largest memory of its kernel, rounded.
    """

    seconds: int
    megabytes: int


def read_map():
    """What the README's course map says of running: {name of the notebook: Measured}."""
    readme = (lessons.ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"\(notebooks/(\S+\.ipynb)\) .*\| (\d+) s \| (\d+) MB \|$", readme, re.MULTILINE)
    return {name: Measured(int(seconds), int(megabytes)) for name, seconds, megabytes in rows}


def write_minutes(measured):
    """Write what is deeper into the lessons' tags, the minutes into their heads, and the course map into the README.

    Args:
        measured: {name of the notebook: Measured}.
    """
    rows, whole = [], []
    for path in lessons.pages():
        notebook, run = lessons.tagged(lessons.read(path)), measured[path.name]
        notebook.cells[0].source = minutes.written(notebook, run.seconds)
        nbformat.write(notebook, path)
        found = minutes.core_and_all(notebook, run.seconds)
        if path.stem != lessons.SELF_TEST:
            whole.append(found)
        core, every = minutes.rounded(found)
        name = f"[{lessons.title(notebook)}](notebooks/{path.name})"
        rows.append(f"| {name} | {core} min | {every} min | {run.seconds} s | {run.megabytes} MB |")
    core, every = (f"{sum(column) / 60:.1f} h" for column in zip(*whole, strict=True))
    head = ["| lesson | core | all | to run | memory |", "|---|---|---|---|---|"]
    marked.write(
        lessons.ROOT / "README.md", MAP_BEGIN, MAP_END, [*head, *rows, f"| lessons 00 to 11 | {core} | {every} | | |"]
    )


def measure_times():
    """Run every lesson, then write its minutes and the course map.

    Returns:
        {name of the notebook: Measured}.
    """
    measured = {}
    for path in lessons.pages():
        run = run_notebook(lessons.read(path))
        measured[path.name] = Measured(round(run.seconds), round(run.peak / 1e6))
        print(path.name, measured[path.name], flush=True)
    return measured


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["execute", "minutes", "times"])
    parser.add_argument("lesson", nargs="?", default="", help="part of a notebook's name")
    parser.add_argument("--figures", choices=["html", "png"], help="write them so; without it, as they are saved")
    arguments = parser.parse_args()
    if arguments.what != "execute":
        write_minutes(measure_times() if arguments.what == "times" else read_map())
        return
    chosen = [path for path in lessons.pages() if arguments.lesson in path.name]
    if not chosen:
        raise SystemExit(f"no notebook's name contains {arguments.lesson!r}")
    for path in chosen:
        execute(path, arguments.figures)
        print(path.name, flush=True)


if __name__ == "__main__":
    main()

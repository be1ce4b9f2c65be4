"""Running lessons in clean kernels: what the tests, `make execute` and `make times` share.

python -m tools.run execute [part of a name]    run lessons and write their outputs
python -m tools.run times                       measure every lesson and write the README's course map
"""

import argparse
import copy
import os
import time
from dataclasses import dataclass

import nbformat
from nbclient import NotebookClient

from tools import lessons, marked, memory

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


def run_notebook(notebook):
    """Run a copy of a notebook in a clean kernel, in the lessons' folder.

    Args:
        notebook: a lesson, from ``lessons.read``.

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
        client.execute(env={**os.environ, "SPARSECOURSE_PROGRESS": "off"})  # what is run here is no learner's
    return Run(notebook, time.perf_counter() - start, largest["kernel"])


def execute(path):
    """Run a lesson in a clean kernel and write its outputs into its file, in a form that is kind to diffs.

    Args:
        path: where the notebook lies.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raised; nothing was written.
    """
    notebook = run_notebook(lessons.read(path)).notebook
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
    for path in lessons.paths():
        notebook = lessons.read(path)
        run = run_notebook(notebook)
        name = f"[{lessons.title(notebook)}](notebooks/{path.name})"
        rows.append(f"| {name} | {lessons.minutes(notebook)} min | {run.seconds:.0f} s | {run.peak / 1e6:.0f} MB |")
        print(rows[-1], flush=True)
    marked.write(lessons.ROOT / "README.md", MAP_BEGIN, MAP_END, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["execute", "times"])
    parser.add_argument("lesson", nargs="?", default="", help="part of a notebook's name")
    arguments = parser.parse_args()
    if arguments.what == "times":
        measure_times()
        return
    chosen = [path for path in lessons.paths() if arguments.lesson in path.name]
    if not chosen:
        raise SystemExit(f"no notebook's name contains {arguments.lesson!r}")
    for path in chosen:
        execute(path)
        print(path.name, flush=True)


if __name__ == "__main__":
    main()

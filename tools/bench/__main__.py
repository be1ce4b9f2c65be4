"""`make bench` writes what was measured into docs/engine.md and docs/layers.md.

python -m tools.bench [engine] [layers]    one of the two, or both
"""

import argparse
import datetime
import os
import platform

import psutil
import torch

from sparsecourse import doctor
from tools import lessons, marked
from tools.bench import engine, layers

PAGES = {"engine": engine.lines, "layers": layers.lines}
BEGIN, END = "<!-- measured: written by make bench -->", "<!-- end of what was measured -->"


def machine():
    """A sentence on what was measured here: when, on which machine, with which versions."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"Measured on {datetime.date.today():%Y-%m-%d}: {doctor.processor()}, {os.cpu_count()} cores, "
        f"{memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}, torch {torch.__version__}, "
        f"OMP_WAIT_POLICY={os.environ.get('OMP_WAIT_POLICY', 'unset')}."
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", choices=[*PAGES, []], default=[], help="what to measure; nothing: all")
    for name in parser.parse_args().pages or PAGES:
        lines = []
        for line in PAGES[name](machine()):
            print(line, flush=True)
            lines.append(line)
        marked.write(lessons.ROOT / "docs" / f"{name}.md", BEGIN, END, lines)


if __name__ == "__main__":
    main()

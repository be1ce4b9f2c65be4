"""How tests and lessons run: sparsecourse before torch, no learner's progress, threads in step with the workers.

nbval runs every cell of a lesson and compares what it shows. Here the same run serves more: after each exercise was run
as it stands, its solution is run and must be correct, and the kernel reaches no network.
"""

import os
from collections import defaultdict
from pathlib import Path

workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if workers > 1:  # set before torch is imported, and inherited by kernels
    os.environ["OMP_NUM_THREADS"] = str(max(1, os.cpu_count() // workers))
os.environ["SPARSECOURSE_PROGRESS"] = "off"

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from sparsecourse import plots
from tools import lessons

# begun first: the last file then keeps nobody waiting
LONGEST = ["sweep", "site", "site_panels", "site_reader", "hub_attacks", "hub"]
LONGEST += ["panels", "browser", "figures", "exercises", "workshop"]
OFFLINE = Path(__file__).parent / "tests" / "offline"  # its sitecustomize cuts the network off


class Solution(IPyNbCell):
    """An exercise's solution, run in the lesson's kernel after its stub."""

    def runtest(self):
        super().runtest()
        said = lessons.said(self.test_outputs)
        if f"{self.name.removeprefix('Solution ')} correct" not in said:
            self.raise_cell_error(f"The solution is not correct: {said}")


class Lesson(IPyNbFile):
    """A lesson whose exercises are solved on the way, without a network.

    Where a later cell reads an answer, it is run with the solution too, and the stub again: the rest of the lesson then
    shows what it shows to somebody who has not solved the exercise, as it is saved.
    """

    def setup(self):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(OFFLINE), prepend=os.pathsep)
            patch.setenv(plots.FIGURES, lessons.figures_form(self.nb))  # the same as saved, to be compared
            super().setup()

    def collect(self):
        for item in super().collect():
            yield item
            for card in lessons.cards(self.nb):
                if self.nb.cells[card.stub] is item.cell:
                    yield self.more(Solution, f"Solution {card.number}", item, lessons.answered(item.cell, card))
                    if later := lessons.built_on(self.nb, card):
                        for place, cell in enumerate([*later, item.cell]):
                            yield self.more(IPyNbCell, f"After {card.number}, {place}", item, cell)

    def more(self, kind, name, item, cell):
        """An item that runs a cell and does not compare what it shows."""
        return kind.from_parent(self, name=name, cell_num=item.cell_num, cell=cell, options=defaultdict(bool))


class Core(Lesson):
    """A lesson without what is deeper, in a kernel of its own: it must run, solved on the way like the whole."""

    @classmethod
    def of(cls, parent, path):
        """The core of a lesson, under a name that tells it from the whole."""
        return cls.from_parent(
            parent, path=path, nodeid=f"{path.relative_to(parent.config.rootpath).as_posix()} (core)"
        )

    def collect(self):
        for item in super().collect():
            if "deeper" not in lessons.tags(item.cell):
                item.options["check"] = False  # what it shows is compared in the whole
                yield item


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    collected = yield
    if file_path.parent != lessons.NOTEBOOKS or not any(isinstance(each, IPyNbFile) for each in collected):
        return collected
    found = [Lesson.from_parent(parent, path=file_path)]
    if any("deeper" in lessons.tags(cell) for cell in lessons.read(file_path).cells):
        found.append(Core.of(parent, file_path))
    return found


@pytest.hookimpl(optionalhook=True)  # without pytest-xdist there is no such hook
def pytest_xdist_auto_num_workers(config):
    """One more than there are cores: who drives a kernel, a browser or a hub mostly waits for it."""
    return min(os.cpu_count() + 1, 8)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem.removeprefix("test_") not in LONGEST)

"""Simulated learners and one lesson: one runs it alone, all run it at once, and accidents happen."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

import nbformat
import psutil

from tools import lessons, memory
from workshop.hub.learner import Learner, LearnerError, LostError
from workshop.hub.link import FOLDER, link

SAMPLE_SECONDS = 2  # how often memory is looked at
LONG_CELL = "import time\n\nprint('running')\ntime.sleep(3600)"
CORRECTION = "A correction from the instructor."
ALL = "all, shared pages counted once"


@dataclass
class Outcome:
    """What came of it, in seconds and bytes."""

    alone: float = 0.0  # the lesson, by one learner alone
    alone_cpu: float = 0.0  # the CPU time it took then
    alone_start: float = 0.0
    together: float = 0.0  # the lesson, by all at once, until the last had saved
    starts: list = field(default_factory=list)  # from login to the first page, all at once
    resident: dict = field(default_factory=dict)  # largest, by learner: server and kernel
    broken: list = field(default_factory=list)  # connections to kernels that broke and were made again
    shared_out: int = 0  # largest sum over all learners, with the pages that they share counted once
    accidents: list = field(default_factory=list)
    failures: list = field(default_factory=list)


class Room:
    """A hub and the lesson that everyone in it runs.

    Args:
        hub: a running `Hub`.
        path: the lesson's notebook.
    """

    def __init__(self, hub, path):
        self.hub, self.path = hub, path
        self.place = f"{FOLDER}/notebooks/{path.name}"  # in a learner's home
        self.link = link(hub.address, hub.course.address, path.name)
        self.outcome = Outcome()

    def learner(self, name):
        return Learner(self.hub.address, name, self.hub.password)

    def server(self, name):
        """A learner's server, as a process.

        Raises:
            LostError: it does not run.
        """
        servers = self.hub.servers()
        if name not in servers:
            raise LostError("the server is gone")
        return servers[name]

    def saved(self, name):
        """The lesson as it lies on disk in a learner's home."""
        return nbformat.read(self.hub.home(name) / self.place, as_version=4)

    async def run_lesson(self, learner):
        """Open the lesson, run every code cell, save it and shut its kernel down.

        Raises:
            LearnerError: a cell raised, or what was saved is not all of it.
        """
        lesson = await learner.open(self.place)
        async with lesson:
            await lesson.run(lesson.code())
            await lesson.save()
        missing = [cell.id for cell in self.saved(learner.name).cells if cell.get("execution_count", 0) is None]
        if missing:
            raise LearnerError(f"saved without having run: {missing}")
        cpu = cpu_seconds(self.server(learner.name))
        await lesson.close()
        return cpu

    async def attempt(self, name, doing):
        """Await `doing`; a failure is noted under a learner's name, and None comes back."""
        try:
            return await doing
        except LearnerError as failure:
            self.outcome.failures.append(f"{name}: {failure}")

    # -------------------------------------------------------------------------------------------------- the measuring

    async def alone(self):
        """One learner, on a machine that has read the course's libraries from its disk once before."""
        for name in ("warm-up", "alone"):
            async with self.learner(name) as learner:
                self.outcome.alone_start = await learner.arrive(self.link)
                before = cpu_seconds(self.server(name))
                start = time.perf_counter()
                self.outcome.alone_cpu = await self.run_lesson(learner) - before
                self.outcome.alone = time.perf_counter() - start
                await learner.leave()

    async def together(self, count):
        """All learners log in at once, and when the last has a server, all run the lesson at once."""
        async with contextlib.AsyncExitStack() as stack:
            names = [f"learner-{number}" for number in range(1, count + 1)]
            learners = [await stack.enter_async_context(self.learner(name)) for name in names]
            starts = await self.all(learners, lambda learner: learner.arrive(self.link))
            self.outcome.starts = [seconds for seconds in starts if seconds is not None]
            here = [learner for learner, seconds in zip(learners, starts, strict=True) if seconds is not None]
            with memory.peak(self.memory_now, SAMPLE_SECONDS) as largest:
                start = time.perf_counter()
                await self.all(here, self.run_lesson)
                self.outcome.together = time.perf_counter() - start
            self.outcome.shared_out = largest.pop(ALL)
            self.outcome.resident = largest
            self.outcome.broken = [why for learner in here for why in learner.broken]
            await self.all(here, lambda learner: learner.leave())

    async def all(self, learners, doing):
        """What comes of it when all learners do something at once; None where it failed."""
        return await asyncio.gather(*[self.attempt(learner.name, doing(learner)) for learner in learners])

    def memory_now(self):
        """Bytes that servers with their kernels take: resident, by learner's name, and under ALL those of all."""
        used = {name: memory_of(server) for name, server in self.hub.servers().items()}
        by_learner = {name: resident for name, (resident, _) in used.items()}
        return by_learner | {ALL: sum(shared for _, shared in used.values())}

    # --------------------------------------------------------------------------------------------------- the accidents

    async def accident(self, what, name):
        """A learner answers the exercises and saves; in the middle of the lesson, while a cell runs, `what` is killed.

        Args:
            what: "kernel" or "server".
            name: the learner's.

        Raises:
            LearnerError: the saved work is not intact, or the lesson does not run again.
        """
        async with self.learner(name) as learner:
            await learner.arrive(self.link)
            lesson = await learner.open(self.place)
            lesson.notebook = lessons.solved(lesson.notebook)
            answers = work(lesson.notebook)
            middle = len(lesson.code()) // 2
            async with lesson:
                await lesson.run(lesson.code()[:middle])
                await lesson.save()
                running = await lesson.begin(nbformat.v4.new_code_cell(LONG_CELL))
                self.kill(what, name)
                start = time.perf_counter()
                try:
                    await running
                except LostError:
                    pass
                else:
                    raise LearnerError(f"the {what} was killed, and its cell ran to the end")
            if work(self.saved(name)) != answers:
                raise LearnerError("the saved answers are not on the disk any more")

            if what == "server":  # the hub gives a new one; and the link is followed again, after a correction
                self.correct()
                await learner.enter(self.link)
                await learner.pull(self.link)
            lesson = await learner.open(self.place)
            if work(lesson.notebook) != answers:
                raise LearnerError("the saved answers do not open again")
            async with lesson:
                back = time.perf_counter() - start
                await lesson.run(lesson.code())
                await lesson.save()
            if work(self.saved(name)) != answers:
                raise LearnerError("the answers were lost when the lesson ran again")
            if what == "server" and CORRECTION not in self.saved(name).cells[0].source:
                raise LearnerError("the instructor's correction did not arrive")
            await learner.leave()
        self.outcome.accidents.append((what, back))

    def kill(self, what, name):
        """End a learner's kernel or server without a warning."""
        victims = kernels(self.server(name)) if what == "kernel" else [self.server(name)]
        for victim in victims:
            victim.kill()

    def correct(self):
        """The instructor changes the text of the lesson that learners have changed too."""
        path = self.hub.course.folder / "notebooks" / self.path.name
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[0].source += f"\n\n{CORRECTION}"
        nbformat.write(notebook, path)
        self.hub.course.publish("A correction")


def work(notebook):
    """A learner's work: what stands in the cells of the exercises."""
    return {cell.id: cell.source for cell in notebook.cells if "exercise" in lessons.tags(cell)}


def family(server):
    """A server and its kernels, those that are alive."""
    try:
        return [server, *server.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def kernels(server):
    """The kernels of a server."""
    return [process for process in server.children() if any("ipykernel" in word for word in process.cmdline())]


def cpu_seconds(server):
    """The CPU time that a server and its kernels have used."""
    return sum(sum(process.cpu_times()[:2]) for process in family(server))


def memory_of(server):
    """Bytes of a server and its kernels: resident, and with shared pages divided among those that share them."""
    resident = shared = 0
    for process in family(server):
        try:
            used = process.memory_full_info()
        except psutil.Error:
            continue
        resident += used.rss
        shared += getattr(used, "pss", used.rss)  # only Linux tells
    return resident, shared

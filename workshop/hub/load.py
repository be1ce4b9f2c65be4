"""The load test: a real JupyterHub on this machine, and as many simulated learners at once as are asked for.

python workshop/hub/load.py --learners 8 --lesson 05

One learner runs the lesson alone, then all run it at once, each with a server and a kernel of their own. Then come two
accidents: a learner's kernel is killed in the middle of the lesson, and another's whole server. Their saved work must
be intact, and the lesson must run again to its end. A table says what was measured, and failures end in an error.
"""

import argparse
import asyncio
import os
import platform
import signal
import statistics
import sys
import time
from importlib import metadata

from tools import lessons
from workshop.hub.learner import LearnerError
from workshop.hub.loopback import Hub
from workshop.hub.simulation import Room


def table(room, count):
    """The outcome as rows of a Markdown table."""
    outcome, cores = room.outcome, os.cpu_count()
    ideal, bound = count * outcome.alone, count * outcome.alone_cpu / cores
    start, resident = statistics.median(outcome.starts), statistics.median(outcome.resident.values())
    rows = {
        "lesson": lessons.title(lessons.read(room.path)),
        "learners at once": f"{count}",
        "failures": f"{len(outcome.failures)}" if outcome.failures else "none",
        "server start, one alone": f"{outcome.alone_start:.1f} s",
        "server start, all at once": f"slowest {max(outcome.starts):.1f} s, median {start:.1f} s",
        "lesson, one alone": f"{outcome.alone:.1f} s, {outcome.alone_cpu:.1f} s of CPU time",
        "lesson, all at once": f"{outcome.together:.1f} s, {60 * count / outcome.together:.1f} lessons a minute",
        "against one after another": f"{outcome.together / ideal:.2f} × {count} times the lesson alone",
        "against the CPU time": f"{outcome.together / bound:.2f} × what {cores} cores never idle would take",
        "memory, resident": f"median {megabytes(resident)}, largest {megabytes(max(outcome.resident.values()))}",
        "memory, shared pages counted once": f"{megabytes(outcome.shared_out / count)} a learner",
    }
    if outcome.broken:
        rows["connections broken and made again"] = f"{len(outcome.broken)}: {', '.join(map(repr, outcome.broken))}"
    for what, seconds in outcome.accidents:
        rows[f"{what} killed in the middle"] = f"saved work intact, back after {seconds:.1f} s, lesson run to its end"
    return [f"| {name} | {value} |" for name, value in rows.items()]


def megabytes(size):
    return f"{size / 1e6:.0f} MB"


async def load(path, count, allow_root):
    """The whole test.

    Args:
        path: the lesson's notebook.
        count: how many learners.
        allow_root: whether it may run as root.

    Returns:
        The failures, as sentences.
    """
    say(f"JupyterHub {metadata.version('jupyterhub')} on {os.cpu_count()} cores, Python {platform.python_version()}")
    async with Hub(allow_root) as hub:
        room = Room(hub, path)
        say("one learner alone, twice: once to warm up")
        await room.alone()
        say(f"{count} learners at once")
        await room.together(count)
        say("a kernel and a server are killed in the middle of the lesson")
        killed = {what: f"{what}-killed" for what in ("kernel", "server")}
        await asyncio.gather(*[room.attempt(name, room.accident(what, name)) for what, name in killed.items()])
        if room.outcome.starts:
            print("\n".join(["| what | measured |", "|---|---|", *table(room, count)]))
    return room.outcome.failures


def say(words):
    """What happens now, on the screen and not in the table."""
    print(time.strftime("%H:%M:%S"), words, file=sys.stderr, flush=True)


async def bounded(minutes, *arguments):
    """The whole test, ended after so many minutes, on Ctrl + C or when it is told to; always cleaned up."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    async with asyncio.timeout(60 * minutes):
        return await load(*arguments)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learners", type=int, default=8, help="how many at once (8)")
    parser.add_argument("--lesson", default="05", help="the lesson's two digits (05)")
    parser.add_argument("--minutes", type=float, default=30, help="end it after so many (30)")
    parser.add_argument("--allow-root", action="store_true", help="run as root, in a container without another user")
    arguments = parser.parse_args()
    if os.name == "nt":
        raise SystemExit("JupyterHub runs on Linux and macOS. Run the load test there, best on the room's own server.")
    chosen = [path for path in lessons.paths() if path.name.startswith(arguments.lesson)]
    if len(chosen) != 1 or arguments.learners < 1:
        raise SystemExit("Give a lesson's two digits, such as --lesson 05, and at least one learner.")
    try:
        failures = asyncio.run(bounded(arguments.minutes, chosen[0], arguments.learners, arguments.allow_root))
    except TimeoutError:
        raise SystemExit(f"Not done after {arguments.minutes:g} minutes. Give it more with --minutes.") from None
    except (LearnerError, RuntimeError) as error:
        raise SystemExit(str(error)) from None
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise SystemExit("Stopped; nothing is left running.") from None
    for failure in failures:
        print(f"FAILED {failure}", file=sys.stderr)
    raise SystemExit(bool(failures))


if __name__ == "__main__":
    main()

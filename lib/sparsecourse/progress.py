"""How far a learner is: a map of the course, and a table over the files of a whole room.

python -I -m sparsecourse.progress FOLDER [--csv FILE]    a table of all learners below a folder

Without -I Python would look for its modules in the working folder first, and run what a learner has laid there under
the name of one. docs/progress.md says what the table is good for.
"""

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    sys.exit("Please run python -I -m sparsecourse.progress: without -I Python runs what lies in the working folder.")

import argparse
import csv
import os
from pathlib import Path

import pandas as pd
from IPython import get_ipython
from IPython.display import display

from sparsecourse import homes, tables
from sparsecourse.exercises import exercises, notes
from sparsecourse.exercises.lesson12 import SHORT_FORM

SELF_TEST = 12  # the lesson whose questions are asked before the course and after it
SOLVED, TRIED, OPEN = "■", "◪", "□"
FORMULA = tuple("=+-@＝＋－＠")  # what begins one in a spreadsheet; tabs and line ends are spelled out already
PLAIN = str.maketrans({SOLVED: "x", TRIED: "/", OPEN: "."})  # for a console without boxes


def show():
    """Show a map of the course from the file in the working folder: a row a lesson, a box an exercise."""
    entries, damaged = ([], 0) if notes.switched_off() else notes.read(Path(notes.NAME))
    done, tried = notes.solved(entries), {entry.exercise for entry in entries}
    rows = []
    for lesson, numbers in by_lesson(SELF_TEST).items():
        boxes = "".join(SOLVED if n in done else TRIED if n in tried else OPEN for n in numbers)
        rows.append(
            {"lesson": f"{lesson:02}", "solved": f"{len(done & set(numbers))} of {len(numbers)}", "exercises": boxes}
        )
    _show(tables.Table(rows, f"Exercises so far: {SOLVED} solved, {TRIED} tried, {OPEN} not yet tried"))
    if damaged:
        _say(f"({damaged} damaged lines in {notes.NAME} were passed over.)")


def _show(table):
    """Show a table: in a notebook as one, elsewhere as text."""
    if get_ipython():
        display(table)
    else:
        _say(str(table))


def _say(text):
    """Print a text, also where the console, or the file it goes into, has not all of its characters."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    print(text)


def by_lesson(without=None):
    """The numbers of all exercises, {lesson: [numbers in their order]}, but for those of one lesson."""
    lessons = {}
    for number in sorted(exercises(), key=lambda number: [int(part) for part in number.split(".")]):
        lessons.setdefault(int(number.split(".")[0]), []).append(number)
    lessons.pop(without, None)
    return lessons


def sittings(entries):
    """First answers to the self-test, before the course and after it.

    A sitting is a row of answers to the test without an exercise of lessons 01 to 11 between them. Of each sitting a
    question's first answer counts. What no such exercise precedes is before; of later sittings the last counts.

    Args:
        entries: as ``notes.read`` returns them.

    Returns:
        Two dictionaries, {number of the question: whether its answer was right}.
    """
    before, after, sitting, learned = {}, {}, {}, False
    for entry in sorted(entries, key=lambda entry: entry.time):  # they may come from several files
        lesson = entry.exercise.partition(".")[0]
        if lesson != str(SELF_TEST):
            if lesson != "0":  # the warm-up teaches nothing that is asked for
                learned, sitting = True, {}
        elif learned:
            sitting.setdefault(entry.exercise, entry.solved)
            after |= sitting
        else:
            before.setdefault(entry.exercise, entry.solved)
    return before, after


def results():
    """Show what the self-test found, a row a lesson, and which sections to read.

    Where no other question than those of its short form was answered, these alone are counted.
    """
    entries, _ = ([], 0) if notes.switched_off() else notes.read(Path(notes.NAME))
    before, after = sittings(entries)
    if not before and not after:
        _say("No question has been answered yet, or nothing is noted here.")
        return
    questions, last = exercises(), after or before
    short = {*before, *after} <= set(SHORT_FORM)
    asked, good = (SHORT_FORM, "known") if short else (by_lesson()[SELF_TEST], "can be skipped")
    rows = []
    for lesson in sorted({questions[number].section[:2] for number in asked}):
        numbers = [number for number in asked if questions[number].section.startswith(lesson)]
        counts = [_right(sitting, numbers) for sitting in (before, after)]
        unknown = dict.fromkeys(questions[number].section[5:] for number in numbers if not last.get(number))
        advice = f"read: {'; '.join(unknown)}" if unknown else good
        rows.append({"lesson": lesson, "before": counts[0], "after": counts[1], "advice": advice})
    rows.append({"lesson": "all", "before": _right(before, asked), "after": _right(after, asked), "advice": ""})
    _show(tables.Table(rows, "Right at the first answer, before the course and after it"))


def _right(sitting, numbers):
    """How many of these questions were answered right, in words; None where there was no sitting."""
    return f"{sum(sitting.get(number, False) for number in numbers)} of {len(numbers)}" if sitting else None


def collect(folder):
    """Progress of all learners: below the folder is one for each of them, with a file in it or not far below.

    Returns:
        A data frame with a row a learner: learner (name of the folder), the number of exercises solved of each lesson,
        solved (of all), before and after (questions of the self-test that were right at the first answer, missing where
        it was not taken), tried (checks that were made), last (time of the last one), damaged (lines or files that
        could not be read) and problem (why, or what was not looked at). A learner with several files counts once.

    Raises:
        ValueError: there is no such folder, it may not be read, or there is no file in it.
    """
    try:
        found = homes.learners(folder)
    except OSError as error:
        raise ValueError(f"{folder} can't be read: {error.strerror}") from None
    if not found:
        raise ValueError(f"no {notes.NAME} lies in {folder}: has a learner there checked an answer yet?")
    rows = []
    for learner in found:
        done = notes.solved(learner.entries)
        counts = {f"lesson {lesson:02}": len(done & set(numbers)) for lesson, numbers in by_lesson(SELF_TEST).items()}
        before, after = (sum(sitting.values()) if sitting else None for sitting in sittings(learner.entries))
        last = max((entry.time for entry in learner.entries), default="")
        more = f" (and {len(learner.problems) - 1} more)" if len(learner.problems) > 1 else ""
        known = {"solved": sum(counts.values()), "before": before, "after": after, "tried": len(learner.entries)}
        wrong = {"damaged": learner.damaged, "problem": "".join(learner.problems[:1]) + more}
        rows.append({"learner": learner.name, **counts, **known, "last": last, **wrong})
    return pd.DataFrame(rows).astype({"before": "Int64", "after": "Int64"})


def write(table, path):
    """Write a table as CSV, for spreadsheets: what a learner has named is text in them, never a formula.

    Args:
        table: as :func:`collect` returns it.
        path: of the file. A link there is not followed: the folder may be somebody else's.

    Raises:
        OSError: it can't be written.
    """
    named = table[["learner", "problem"]].map(lambda text: "'" + text if text.lstrip().startswith(FORMULA) else text)
    named = named.replace(";", ",", regex=True)  # which ends a cell in some countries' spreadsheets, quoted or not
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | homes.CAREFUL, 0o600)
    with open(file, "w", encoding="utf-8", newline="") as stream:
        table.assign(**named).to_csv(stream, index=False, quoting=csv.QUOTE_NONNUMERIC)


def main(arguments=None):
    """The command, with the arguments given or those of this process: print a folder's table; with --csv, write it.

    Raises:
        SystemExit: there is nothing to make a table of; it says why.
    """
    about = "A table of the progress of all learners below a folder."
    parser = argparse.ArgumentParser(prog="python -I -m sparsecourse.progress", description=about)
    parser.add_argument("folder", help="holds a folder for each learner")
    parser.add_argument("--csv", metavar="FILE", help="write the table there too")
    chosen = parser.parse_args(arguments)
    try:
        table = collect(chosen.folder)
        if chosen.csv:
            write(table, chosen.csv)
    except ValueError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{chosen.csv} can't be written: {error.strerror}")
    _say(table.rename(columns=lambda name: name.removeprefix("lesson ")).to_string(index=False))


if __name__ == "__main__":
    main()

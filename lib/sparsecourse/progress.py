"""How far a learner is: a map of the course, and a table over the files of a whole room.

python -m sparsecourse.progress FOLDER [--csv FILE]    a table of all learners below a folder
"""

import argparse
import sys
from pathlib import Path

import pandas as pd
from IPython import get_ipython
from IPython.display import display

from sparsecourse import tables
from sparsecourse.exercises import exercises, notes

SELF_TEST = 12  # the lesson whose questions are asked before the course and after it
SOLVED, TRIED, OPEN = "■", "◪", "□"
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
    """Show what the self-test found, a row a lesson, and which sections to read."""
    entries, _ = ([], 0) if notes.switched_off() else notes.read(Path(notes.NAME))
    before, after = sittings(entries)
    if not before and not after:
        _say("No question has been answered yet, or nothing is noted here.")
        return
    questions, last = exercises(), after or before
    asked = by_lesson()[SELF_TEST]
    rows = []
    for lesson in sorted({questions[number].section[:2] for number in asked}):
        numbers = [number for number in asked if questions[number].section.startswith(lesson)]
        counts = [_right(sitting, numbers) for sitting in (before, after)]
        unknown = dict.fromkeys(questions[number].section[5:] for number in numbers if not last.get(number))
        advice = f"read: {'; '.join(unknown)}" if unknown else "can be skipped"
        rows.append({"lesson": lesson, "before": counts[0], "after": counts[1], "advice": advice})
    rows.append({"lesson": "all", "before": _right(before, asked), "after": _right(after, asked), "advice": ""})
    _show(tables.Table(rows, "Right at the first answer, before the course and after it"))


def _right(sitting, numbers):
    """How many of these questions were answered right, in words; None where there was no sitting."""
    return f"{sum(sitting.get(number, False) for number in numbers)} of {len(numbers)}" if sitting else None


def collect(folder):
    """Progress of all learners: below the folder is one for each of them, with a file anywhere inside.

    Returns:
        A data frame with a row a learner: learner (name of the folder), the number of exercises solved of each lesson,
        solved (of all), before and after (questions of the self-test that were right at the first answer, missing where
        it was not taken), tried (checks that were made), last (time of the last one) and damaged (lines or files that
        could not be read). A learner with several files counts once.

    Raises:
        ValueError: there is no such folder, or no file below it.
    """
    folder = Path(folder).resolve()  # "." has no name
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    found = {}
    for path in sorted(folder.rglob(notes.NAME)):
        learner = path.relative_to(folder).parts[0] if path.parent != folder else folder.name
        try:
            entries, damaged = notes.read(path)
        except OSError:  # a folder of that name, or a file that may not be read
            entries, damaged = [], 1
        earlier, earlier_damaged = found.get(learner, ([], 0))
        found[learner] = (earlier + entries, earlier_damaged + damaged)
    if not found:
        raise ValueError(f"no {notes.NAME} lies below {folder}: has a learner there checked an answer yet?")
    rows = []
    for learner, (entries, damaged) in found.items():
        done = notes.solved(entries)
        counts = {f"lesson {lesson:02}": len(done & set(numbers)) for lesson, numbers in by_lesson(SELF_TEST).items()}
        before, after = (sum(sitting.values()) if sitting else None for sitting in sittings(entries))
        last = max((entry.time for entry in entries), default="")
        known = {"solved": sum(counts.values()), "before": before, "after": after}
        rows.append({"learner": learner, **counts, **known, "tried": len(entries), "last": last, "damaged": damaged})
    return pd.DataFrame(rows).astype({"before": "Int64", "after": "Int64"})


def main(arguments=None):
    """The command, with the arguments given or those of this process: print a folder's table; with --csv, write it.

    Raises:
        SystemExit: there is nothing to make a table of; it says why.
    """
    about = "A table of the progress of all learners below a folder."
    parser = argparse.ArgumentParser(prog="python -m sparsecourse.progress", description=about)
    parser.add_argument("folder", help="holds a folder for each learner")
    parser.add_argument("--csv", metavar="FILE", help="write the table there too")
    chosen = parser.parse_args(arguments)
    try:
        table = collect(chosen.folder)
    except ValueError as error:
        sys.exit(str(error))
    if chosen.csv:
        table.to_csv(chosen.csv, index=False)
    _say(table.rename(columns=lambda name: name.removeprefix("lesson ")).to_string(index=False))


if __name__ == "__main__":
    main()

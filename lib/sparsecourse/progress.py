"""Which exercises are solved: one small file in the learner's own folder, and a table over the files of a whole room.

``check`` notes each answer as a line of ``progress.jsonl`` in the folder where the notebook runs. Nothing is sent
anywhere. Lines are only ever added, each in one piece, so whatever stops a kernel, what was noted before stays. Whoever
wants no file sets SPARSECOURSE_PROGRESS=off.

python -m sparsecourse.progress FOLDER [--csv FILE]    a table of all learners below a folder
"""

import argparse
import datetime
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

NAME = "progress.jsonl"
SWITCH = "SPARSECOURSE_PROGRESS"
SOLVED, TRIED, OPEN = "■", "◪", "□"


@dataclass(frozen=True)
class Entry:
    """An answer that was checked.

    Attributes:
        exercise: its number, for example "2.1".
        solved: whether the answer was right.
        time: when, in coordinated universal time, ISO 8601.
    """

    exercise: str
    solved: bool
    time: str


def note(exercise, solved, folder=None):
    """Add an answer to the learner's file. A file that can't be written is told of in a sentence, and is no error.

    Args:
        exercise: its number.
        solved: whether the answer was right.
        folder: where the file lies; None takes the working folder, which is the notebook's.
    """
    if switched_off():
        return
    time = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    line = json.dumps({"exercise": exercise, "solved": solved, "time": time})
    path = Path(folder or ".") / NAME
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            # the line begins with a line end too: if the last one was torn, this one is still whole
            text = f"\n{line}\n".encode()
            if os.write(file, text) < len(text):
                raise OSError("the disk is full")
        finally:
            os.close(file)
    except OSError as error:
        print(f"(Your progress was not noted in {path}: {error.strerror or error}.)")


def switched_off():
    """Whether no file is to be written or shown."""
    return os.environ.get(SWITCH, "").lower() == "off"


def read(path):
    """What a file holds.

    Args:
        path: of a ``progress.jsonl``; where there is none, nothing was noted.

    Returns:
        Entries in the order in which they were noted, and how many lines could not be read.
    """
    path = Path(path)
    entries, damaged = [], 0
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []:
        if not line.strip():
            continue
        try:
            found = json.loads(line)
            time = datetime.datetime.fromisoformat(found["time"]).isoformat(timespec="seconds")
            entries.append(Entry(str(found["exercise"]), found["solved"] is True, time))
        except (ValueError, KeyError, TypeError, RecursionError):
            damaged += 1
    return entries, damaged


def solved(entries):
    """Numbers of the exercises that were right at least once."""
    return {entry.exercise for entry in entries if entry.solved}


def show(folder=None):
    """Print a map of the course: a line a lesson, a box an exercise.

    Args:
        folder: where the learner's file lies; None takes the working folder.
    """
    entries, damaged = ([], 0) if switched_off() else read(Path(folder or ".") / NAME)
    done, tried = solved(entries), {entry.exercise for entry in entries}
    for lesson, numbers in by_lesson().items():
        boxes = "".join(SOLVED if n in done else TRIED if n in tried else OPEN for n in numbers)
        print(f"lesson {lesson:02}  {boxes:5}  {len(done & set(numbers))} of {len(numbers)} solved")
    print(f"{SOLVED} solved   {TRIED} tried   {OPEN} not yet tried")
    if damaged:
        print(f"({damaged} damaged lines in {NAME} were passed over.)")


def by_lesson():
    """The numbers of all exercises, {lesson: [numbers in their order]}."""
    from sparsecourse.exercises import exercises  # here, because checking an exercise comes to this module

    lessons = {}
    for number in sorted(exercises(), key=lambda number: [int(part) for part in number.split(".")]):
        lessons.setdefault(int(number.split(".")[0]), []).append(number)
    return lessons


def collect(folder):
    """Progress of all learners whose files lie below a folder.

    Args:
        folder: one that holds a folder for each learner, with a file anywhere inside.

    Returns:
        A data frame with a row a learner: learner (name of the folder), the number of exercises solved of each lesson,
        solved (of all), tried (checks that were made), last (time of the last one) and damaged (lines or files that
        could not be read). A learner with several files counts once.

    Raises:
        ValueError: there is no such folder, or no file below it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    found = {}
    for path in sorted(folder.rglob(NAME)):
        learner = path.relative_to(folder).parts[0] if path.parent != folder else folder.name
        try:
            entries, damaged = read(path)
        except OSError:  # a folder of that name, or a file that may not be read
            entries, damaged = [], 1
        earlier, earlier_damaged = found.get(learner, ([], 0))
        found[learner] = (earlier + entries, earlier_damaged + damaged)
    if not found:
        raise ValueError(f"no {NAME} lies below {folder}: has a learner there checked an answer yet?")
    rows = []
    for learner, (entries, damaged) in found.items():
        done = solved(entries)
        counts = {f"lesson {lesson:02}": len(done & set(numbers)) for lesson, numbers in by_lesson().items()}
        last = max((entry.time for entry in entries), default="")
        counted = {"solved": sum(counts.values()), "tried": len(entries), "last": last, "damaged": damaged}
        rows.append({"learner": learner, **counts, **counted})
    return pd.DataFrame(rows)


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m sparsecourse.progress", description="A table of the progress of all learners below a folder."
    )
    parser.add_argument("folder", help="holds a folder for each learner")
    parser.add_argument("--csv", metavar="FILE", help="write the table there too")
    chosen = parser.parse_args(arguments)
    try:
        table = collect(chosen.folder)
    except ValueError as error:
        sys.exit(str(error))
    if chosen.csv:
        table.to_csv(chosen.csv, index=False)
    print(table.rename(columns=lambda name: name.removeprefix("lesson ")).to_string(index=False))


if __name__ == "__main__":
    main()

"""Which exercises were answered: one small file in the learner's own folder.

``check`` notes each answer as a line of ``progress.jsonl`` in the folder where the notebook runs. Nothing is sent
anywhere. Lines are only ever added, each in one piece, so whatever stops a kernel, what was noted before stays.
SPARSECOURSE_PROGRESS=off switches it off. docs/progress.md says it all to those whom it concerns.
"""

import codecs
import datetime
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

NAME = "progress.jsonl"
SWITCH = "SPARSECOURSE_PROGRESS"
OFF = {"off", "no", "false", "0"}  # whoever writes one of these wants no file
LONGEST = 500  # bytes of a line that is looked at; one that is noted has about 80
NUMBER = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}")


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
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)  # the learner's own
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
    return os.environ.get(SWITCH, "").strip().lower() in OFF


def read(path):
    """What a file holds.

    Args:
        path: of a ``progress.jsonl``; where there is none, nothing was noted.

    Returns:
        Entries in the order in which they were noted, and how many lines could not be read.

    Raises:
        OSError: the file may not be read, or is a folder.
    """
    path = Path(path)
    return parse(path.read_bytes()) if path.exists() else ([], 0)


def parse(content):
    """What the bytes of a file say. A line counts as ``note`` writes it, and in no other way.

    Args:
        content: of the file.

    Returns:
        Entries in the order in which they were noted, and how many lines could not be read.
    """
    entries, damaged = [], 0
    for line in content.removeprefix(codecs.BOM_UTF8).splitlines():
        if not line.strip():
            continue
        try:
            entries.append(_entry(line))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            damaged += 1
    return entries, damaged


def _entry(line):
    """The entry that a line of bytes holds. Raises one of the errors above where it holds none."""
    if len(line) > LONGEST:
        raise ValueError("no line as long as this was noted")
    found = json.loads(line.decode())
    time = datetime.datetime.fromisoformat(found["time"])
    if not NUMBER.fullmatch(found["exercise"]) or not isinstance(found["solved"], bool) or not time.tzinfo:
        raise ValueError("an exercise has a number, an answer is right or wrong, a time has its zone")
    return Entry(found["exercise"], found["solved"], time.astimezone(datetime.UTC).isoformat(timespec="seconds"))


def solved(entries):
    """Numbers of the exercises that were right at least once, a set.

    Args:
        entries: as :func:`read` returns them.
    """
    return {entry.exercise for entry in entries if entry.solved}

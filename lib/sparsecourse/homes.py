"""The folders of a room's learners, read without trusting what lies in them.

In a folder of one's own one can lay a pipe that never ends, a file larger than the disk, a thousand folders, or a link
to a classmate's work. So only so many folders are looked into, no link is followed, and a file counts only if it is an
ordinary one, small, its learner's own and known by one name. What is wrong with one learner's files is told in that
learner's row, and the others have theirs. A file is opened first and judged by its descriptor, so that nobody can
exchange it between the two. (Windows opens by path, and has neither pipes in folders nor owners that Python knows. How
many names one folder holds is bounded by the disk's quota alone: two hundred thousand take half a second.)
"""

import datetime
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from sparsecourse.exercises import notes

DEEPEST = 3  # folders below a learner's own: a hub's course/notebooks has two
FOLDERS, FILES = 2000, 10  # of one learner
BYTES, LINES = 10**6, 30_000  # of one file: ten thousand answers
LINK = "a link, not followed"
CAREFUL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # a pipe must not wait for its writer


@dataclass
class Learner:
    """What was found in a learner's folder.

    Attributes:
        name: of the folder, as it can be printed.
        entries: of all files.
        damaged: how many lines or files could not be read.
        problems: sentences that say why, and what was not looked at.
    """

    name: str
    entries: list = field(default_factory=list)
    damaged: int = 0
    problems: list = field(default_factory=list)


def learners(folder):
    """All who have noted something, or with whose files something is wrong, by name.

    Args:
        folder: holds a folder for each learner, or is one.

    Returns:
        A list of :class:`Learner`.

    Raises:
        OSError: there is no such folder, or it may not be read.
    """
    folder = Path(folder).resolve()  # "." has no name
    names = sorted(entry.name for entry in os.scandir(folder) if entry.is_symlink() or entry.is_dir())
    homes = [folder / name for name in names if name != notes.NAME and not name.startswith(".")]
    found = [_look(folder, 0), *(_look(home, DEEPEST) for home in homes)]
    return [learner for learner in found if learner.entries or learner.damaged or learner.problems]


def printable(text):
    """A text in which nothing steers a terminal or turns the direction of writing: such characters are spelled out."""
    return "".join(c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode() for c in text)


def _look(home, deepest):
    """A learner, from the files in a folder and in so many folders below it."""
    learner, read, links = Learner(printable(home.name)), 0, []

    def tell(words, path=""):
        learner.problems.append(f"{words}: {printable(path)}" if path else words)

    def denied(error):
        tell(error.strerror or str(error), os.path.basename(error.filename) if isinstance(error.filename, str) else "")

    try:
        if os.path.islink(home):
            raise OSError(LINK)
        owner = os.lstat(home).st_uid
        for count, (path, folders, files, descriptor) in enumerate(_walk(home, denied)):
            if count == FOLDERS:
                raise OSError(f"more than {FOLDERS} folders, the rest not looked into")
            below = os.path.relpath(path, home)
            file = os.path.normpath(os.path.join(below, notes.NAME))
            if notes.NAME in files + folders:
                if read == FILES:
                    raise OSError(f"more than {FILES} files, the rest not read")
                read += 1
                try:
                    entries, damaged = notes.parse(_content(os.path.join(path, notes.NAME), descriptor, owner))
                except OSError as error:
                    tell(error.strerror or str(error), file)
                    entries, damaged = [], 1
                possible = [entry for entry in entries if entry.time < _tomorrow()]
                learner.entries += possible
                learner.damaged += damaged + len(entries) - len(possible)
            folders[:] = [name for name in sorted(folders) if name != notes.NAME and not name.startswith(".")][:FOLDERS]
            if len(Path(below).parts) == deepest:
                folders.clear()
            links += [name for name in folders if os.path.islink(os.path.join(path, name))]
    except OSError as error:
        denied(error)
    if links and not read:
        tell(LINK, links[0])
    return learner


def _walk(home, denied):
    """Walk through folders, no link followed: path, folders, files, and the folder's descriptor where it has one."""
    if hasattr(os, "fwalk"):
        return os.fwalk(home, onerror=denied)
    return ((*found, None) for found in os.walk(home, onerror=denied))


def _content(path, descriptor, owner):
    """The bytes of a learner's file. Raises OSError, with the reason, where it is none that counts."""
    if os.path.islink(path):
        raise OSError(LINK)
    name = path if descriptor is None else os.path.basename(path)
    with open(name, "rb", opener=lambda name, flags: os.open(name, flags | CAREFUL, dir_fd=descriptor)) as file:
        known = os.fstat(file.fileno())
        if not stat.S_ISREG(known.st_mode):
            raise OSError("no ordinary file")
        if known.st_uid != owner:
            raise OSError("a file of somebody else's")
        if known.st_nlink > 1:  # whose is it, where all files have one owner?
            raise OSError("a file with a second name, a hard link")
        content = file.read(BYTES + 1)
    if len(content) > BYTES or content.count(b"\n") > LINES:
        raise OSError(f"more than {BYTES // 10**6} MB or {LINES} lines")
    return content


def _tomorrow():
    """A day from now, written as the files write it: a clock that runs ahead further has not noted anything here."""
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)).isoformat(timespec="seconds")

"""A lesson laid anew, and updates of the course, both without losing what the learner wrote.

python -m tools.fresh 05                  lay a lesson anew, as the course has it; yours is kept in notebooks/kept
python -m tools.fresh 05 --from FOLDER    the same in a downloaded archive: FOLDER is that archive, unpacked once more
python -m tools.fresh --update            get what is new in the course; your answers are carried over
python -m tools.fresh --answers FOLDER    carry over the answers from FOLDER, an older copy of the course

An answer is carried over where question, hint and solution are still the same; it is whatever stands between the
question and the hint. A file is written beside its place and then moved there, and a lesson is put aside before it is
touched, so a kill in the middle loses nothing. The standard library and git are all that this needs.
"""

import argparse
import contextlib
import json
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tools.lessons import CARD, ROOT, pages
from tools.repository import RefusedError, commit, git, names

LESSON = re.compile(r"notebooks/(\d\d_[^/]+\.ipynb)")
DOTS = re.compile(r"^\s*(?:[\w, ]+ = )?\.\.\.", re.MULTILINE)  # where an answer is to be written
PROGRESS = "notebooks/progress.jsonl"
REQUIREMENTS = {"pyproject.toml", "constraints.txt", "environment.yml"}
ARCHIVE = "This copy of the course was downloaded as an archive, which keeps no untouched lessons."


# ---------------------------------------------------------------------------------------------------- files and lessons


def write(path, content):
    """Write a file so that at every moment either the old one or the new one is there, whole.

    Args:
        path: where it lies; its folder is made.
        content: as bytes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(content)
    os.replace(beside, path)


def is_archive(root):
    """Whether a copy of the course has no repository of its own; it may lie inside somebody's."""
    return not (root / ".git").exists()


def published(root):
    """The commit of the course that this copy goes back to, without commits of the learner's own or a hub's."""
    try:
        return git(root, "merge-base", "HEAD", "@{upstream}").decode().strip()
    except RefusedError:  # nothing is followed, or history was written anew
        return "HEAD"


def untouched(root, revision):
    """The lessons as a commit of the course has them, {file name: content}."""
    listed = names(root, "ls-tree", revision, "notebooks/")
    return {Path(name).name: git(root, "show", f"{revision}:{name}") for name in listed if LESSON.fullmatch(name)}


def unpacked(folder):
    """The lessons of another copy of the course, {file name: content}.

    Raises:
        RefusedError: it has none.
    """
    found = {path.name: path.read_bytes() for path in pages(Path(folder)) if path.is_file()}
    if not found:
        raise RefusedError(f"There are no lessons in {Path(folder) / 'notebooks'}.")
    return found


# ----------------------------------------------------------------------------------------------------------- answers


@dataclass(frozen=True)
class Exercise:
    """An exercise in a lesson.

    Attributes:
        asked: its question, and what is folded below it.
        begin: index of the first cell of the answer.
        end: index of the cell below the answer.
    """

    asked: tuple
    begin: int
    end: int


def parsed(content):
    """A notebook as a dictionary. What can't be read, or is no notebook, holds no cells."""
    try:
        found = {"cells": [], **json.loads(content)}
        _ = [source(cell) for cell in found["cells"]]
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {"cells": []}
    return found


def source(cell):
    """The text of a cell."""
    return "".join(cell.get("source", ""))


def exercises(lesson):
    """The exercises of a lesson, {number: Exercise}. One whose question or solution has been deleted is left out."""
    found, card = {}, None
    for index, text in enumerate(map(source, lesson["cells"])):
        if heading := CARD.search(text):
            card, question, begin = heading["number"], text[heading.end() :], index + 1
        elif card and "<summary>Solution</summary>" in text:
            found[card] = Exercise((question, text), begin, index)
            card = None
    return found


def is_open(cells):
    """Whether the dots of an exercise still stand where its answer is to be written."""
    return any(DOTS.search(source(cell)) for cell in cells)


def carry(own, new):
    """Put the answers of one version of a lesson into another, where they are still to be written.

    Args:
        own: the learner's lesson, as bytes.
        new: the other version, as bytes.

    Returns:
        The other version with the answers, as bytes; the numbers of the exercises whose answers they are; and the
        numbers of those that were answered and are not the same any more.
    """
    old, lesson = parsed(own), parsed(new)
    before, now = exercises(old), exercises(lesson)
    same = [number for number in now if number in before and before[number].asked == now[number].asked]
    answers = {number: old["cells"][exercise.begin : exercise.end] for number, exercise in before.items()}
    left = [number for number in before if number not in same and not is_open(answers[number])]
    carried = []
    for number in reversed(same):  # from the end, so that the indices above still hold
        place = slice(now[number].begin, now[number].end)
        stub = lesson["cells"][place]
        if is_open(stub) and [*map(source, answers[number])] != [*map(source, stub)]:
            lesson["cells"][place] = answers[number]
            carried.insert(0, number)
    written = json.dumps(lesson, ensure_ascii=False, indent=1, sort_keys=True) + "\n"  # as Jupyter writes it
    return (written.encode() if carried else new), carried, left


def told(name, carried, left):
    """What became of a lesson's answers, as a list of sentences."""
    found = {"carried over": carried, "the exercise has changed, so your answer stays in your old copy": left}
    return [f"{name}: {words}: {', '.join(numbers)}." for words, numbers in found.items() if numbers]


# -------------------------------------------------------------------------------------------------------- fresh start


def kept(path):
    """A free name for the copy of a lesson that is to be kept: with the time in it, in the folder that git ignores."""
    stem = path.parent / "kept" / f"{path.stem}-{time.strftime('%Y-%m-%d-%H%M')}"
    free = (Path(f"{stem}{more}.ipynb") for more in ("", *(f"-{count}" for count in range(2, 100))))
    return next(place for place in free if not place.exists())


def fresh(lesson, root=ROOT, folder=None):
    """Lay a lesson anew, as the course has it. The learner's is kept.

    Args:
        lesson: part of its name, such as 05.
        root: the course's folder.
        folder: another copy of the course that has it untouched; None for the course's own commit.

    Returns:
        What was done, as a list of sentences.

    Raises:
        RefusedError: there is no such lesson, several, or no untouched one; nothing was changed.
    """
    if not folder and is_archive(root):
        raise RefusedError(f"{ARCHIVE} Unpack it once more elsewhere and run: python -m tools.fresh 05 --from FOLDER")
    clean = unpacked(folder) if folder else untouched(root, published(root))
    found = [name for name in clean if lesson in name]
    if len(found) != 1:
        raise RefusedError(
            f"Which lesson? make fresh LESSON=05, or python -m tools.fresh 05. There are {', '.join(clean)}."
        )
    path = root / "notebooks" / found[0]
    own, words = path.read_bytes() if path.exists() else None, f"{path.name} is laid anew."
    if own == clean[path.name]:
        return [f"{path.name} is as the course has it already."]
    if own is not None:
        place = kept(path)
        write(place, own)
        words += f" Your old copy is notebooks/kept/{place.name}."
    write(path, clean[path.name])
    return [words]


# ------------------------------------------------------------------------------------------------------------ updates


def update(root=ROOT):
    """Get what is new in the course, as ``git pull`` does, and carry the learner's answers over.

    Args:
        root: the course's folder.

    Returns:
        What was done, as a list of sentences.

    Raises:
        RefusedError: something stands in the way; every lesson is as it was.
    """
    if is_archive(root):
        command = f'python -m tools.fresh --answers "{root}"'
        raise RefusedError(f"{ARCHIVE} Unpack the new archive elsewhere, and in its folder run: {command}")
    said = bring_back(root)  # what an update that was killed has put aside
    git(root, "fetch", "--quiet")
    base, newest = commit(root, "HEAD"), commit(root, "@{upstream}")
    if not names(root, "diff", f"{base}...{newest}"):
        return [*said, "The course has nothing new."]
    changed, clean = names(root, "diff", "--no-renames", "HEAD"), untouched(root, base)
    lessons = [name for name in changed if LESSON.fullmatch(name) and Path(name).name in clean]
    if others := [name for name in changed if name not in lessons]:
        undo = "Undo that (git checkout FILE), or keep it in a commit of your own and use git pull."
        raise RefusedError(f"Not only lessons were changed here, but {', '.join(others)}. {undo}")
    try:
        put_aside(root, [root / name for name in lessons], base)
        if lessons:
            git(root, "reset", "--quiet", "HEAD", "--", *lessons)
        git(root, "merge", "--quiet", "--ff-only", newest)
    except RefusedError as error:
        raise RefusedError(f"The new version does not go in: {error}. Your lessons are as they were.") from None
    finally:
        said += bring_back(root)
    if REQUIREMENTS & {*names(root, "diff", base, "HEAD")}:
        said.append(
            "What the course needs has changed too: make lab installs it, and so do the lines in docs/install.md."
        )
    return [*said, "The course is up to date. Restart the kernels of lessons that are open."]


def put_aside(root, paths, base):
    """Copy lessons into a folder whose name tells from which commit they were begun, then lay them anew.

    Args:
        root: the course's folder.
        paths: where the lessons lie.
        base: the commit.
    """
    clean = untouched(root, base)
    for path in paths:
        if path.exists():  # the learner may have deleted it
            write(root / "notebooks" / "kept" / f"update-{base}" / path.name, path.read_bytes())
    for path in paths:
        write(path, clean[path.name])


def bring_back(root):
    """End an update: every lesson that was put aside comes back, as it was, or its answers in the new version.

    Whether the update went through, failed or was killed before this or in the middle of it, this sees from the files.

    Args:
        root: the course's folder.

    Returns:
        What was done, as a list of sentences.
    """
    said = []
    for folder in sorted((root / "notebooks" / "kept").glob("update-*")):
        before, now = untouched(root, folder.name.removeprefix("update-")), untouched(root, "HEAD")
        for aside in sorted(folder.glob("*.ipynb")):
            said += bring_one_back(aside, root / "notebooks" / aside.name, before.get(aside.name), now.get(aside.name))
        for half in folder.glob(".*.part"):
            half.unlink()
        with contextlib.suppress(OSError):  # what else somebody has put there stays
            folder.rmdir()
    return said


def bring_one_back(aside, path, before, now):
    """Bring back one lesson.

    Args:
        aside: where it was put.
        path: where it belongs.
        before: what it was begun from.
        now: the untouched lesson of today; None if the course has it no more.

    Returns:
        What was done, as a list of sentences.
    """
    own, here = aside.read_bytes(), path.read_bytes() if path.exists() else None
    if here == own:
        aside.unlink()
        return []
    if here == now == before:  # nothing new came
        os.replace(aside, path)
        return []
    words = []
    if now is None:
        words.append(f"{path.name}: the course has this lesson no more.")
    elif here == now:
        written, carried, left = carry(own, now)
        write(path, written)
        words += told(path.name, carried, left)
    place = kept(path)  # and where it is another's, the learner has gone on with it since a kill: that stays
    os.replace(aside, place)
    return [*words, f"{path.name}: your old copy is notebooks/kept/{place.name}."]


def bring_answers(folder, root=ROOT):
    """Carry over the answers, and the notes of progress, from an older copy of the course.

    Args:
        folder: that copy.
        root: this one.

    Returns:
        What was done, as a list of sentences.

    Raises:
        RefusedError: the folder holds no lessons.
    """
    said = []
    for name, own in unpacked(folder).items():
        path = root / "notebooks" / name
        if path.exists():
            written, carried, left = carry(own, path.read_bytes())
            if carried:
                write(path, written)
            said += told(name, carried, left)
    progress = Path(folder) / PROGRESS
    if progress.is_file() and not (root / PROGRESS).exists():
        write(root / PROGRESS, progress.read_bytes())
    return said or ["There was no answer to carry over."]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lesson", nargs="?", default="", help="part of its name, such as 05")
    parser.add_argument("--from", dest="folder", metavar="FOLDER", help="a copy of the course with untouched lessons")
    parser.add_argument("--update", action="store_true", help="get what is new in the course")
    parser.add_argument("--answers", metavar="FOLDER", help="an older copy of the course, with your answers")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.update:
            said = update()
        elif chosen.answers:
            said = bring_answers(chosen.answers)
        else:
            said = fresh(chosen.lesson, folder=chosen.folder)
    except RefusedError as error:
        sys.exit(str(error))
    print("\n".join(said))


if __name__ == "__main__":
    main()

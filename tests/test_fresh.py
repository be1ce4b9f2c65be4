"""A lesson laid anew, and updates: the learner's work is never lost, whatever stands in the way."""

import itertools
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from tools import fresh, lessons

FIRST, SECOND = "05_asking_for_zeros.ipynb", "06_pruning.ipynb"
ANSWER = "def first(x):\n    return 'mine'\n\n\ncheck('5.1', first)"


def lesson(number, *exercises):
    """A small lesson in the form that all have, as it is committed."""
    text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    cells = [text(f"# {number} · A lesson"), code("import sys", execution_count=1)]
    for count, name in enumerate(exercises, 1):
        stub = f'def {name}(x):\n    """What {name} says."""\n    ...\n\n\ncheck("{int(number)}.{count}", {name})'
        heading = f"#### Exercise {int(number)}.{count} · The {name}   ●○○ · 1 min"
        solution = f'def {name}(x):\n    """What {name} says."""\n    return x'
        folded = [("Hint", "Look."), ("Solution", f"```python\n{solution}\n```")]
        details = "\n\n".join(f"<details>\n<summary>{k}</summary>\n\n{v}\n\n</details>" for k, v in folded)
        cells += [text(f"{heading}\n\nWrite `{name}(x)`."), code(stub, execution_count=count + 1), text(details)]
        cells[-2].metadata["tags"] = ["exercise"]
    return nbformat.v4.new_notebook(cells=cells)


def git(folder, *words):
    command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org", *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def commit(folder, message):
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The course of its author, with two lessons, what was pushed of it, and a learner's clone."""
    folder = tmp_path_factory.mktemp("published")
    author, clone = folder / "author", folder / "learner of it"
    (author / "notebooks").mkdir(parents=True)
    nbformat.write(lesson("05", "first", "second"), author / "notebooks" / FIRST)
    nbformat.write(lesson("06", "third"), author / "notebooks" / SECOND)
    for name in ("README.md", ".gitignore", ".gitattributes"):
        shutil.copy(lessons.ROOT / name, author / name)
    git(author, "init", "--quiet", "--initial-branch=main")
    commit(author, "course")
    for words in (["--bare", "author", "origin.git"], ["origin.git", clone.name]):
        git(folder, "clone", "--quiet", *words)
    git(author, "remote", "add", "origin", "../origin.git")
    git(clone, "remote", "set-url", "origin", "../origin.git")
    git(author, "push", "--quiet", "--set-upstream", "origin", "main")
    return folder


@pytest.fixture
def author(published, tmp_path):
    """The course of its author."""
    shutil.copytree(published, tmp_path, dirs_exist_ok=True)
    return tmp_path / "author"


@pytest.fixture
def learner(author, tmp_path):
    """A learner's clone of it."""
    return tmp_path / "learner of it"


def publish(author, old, new, name=FIRST):
    """The author changes a word of a lesson and pushes."""
    path = author / "notebooks" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    commit(author, "a better lesson")
    git(author, "push", "--quiet")


def stub(notebook, number):
    """The cell of an exercise."""
    return notebook.cells[next(card.stub for card in lessons.cards(notebook) if card.number == number)]


def run_and_answer(folder, names=(FIRST, SECOND)):
    """What running every cell and saving does to lessons, and an answer in the first one.

    Returns:
        What the learner then has, {name: content}.
    """
    for name in names:
        path = folder / "notebooks" / name
        notebook = lessons.read(path)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.execution_count += 100
        notebook.metadata["language_info"] = {"name": "python", "version": "3.13.1"}
        if name == FIRST:
            stub(notebook, "5.1").source = ANSWER
            stub(notebook, "5.2").source += "\n# mine too"
        nbformat.write(notebook, path)
    return {name: (folder / "notebooks" / name).read_bytes() for name in names}


def answers(folder, name=FIRST):
    notebook = lessons.read(folder / "notebooks" / name)
    return {card.number: notebook.cells[card.stub].source for card in lessons.cards(notebook)}


def copies(folder):
    """The copies that were kept, with those of an update that is under way."""
    return sorted((folder / "notebooks" / "kept").rglob("*.ipynb"))


def everything(folder):
    """The content of every notebook that the learner has."""
    return {path.read_bytes() for path in (folder / "notebooks").rglob("*.ipynb")}


# -------------------------------------------------------------------------------------------------------- fresh start


def test_a_lesson_is_laid_anew_and_the_old_one_is_kept(learner, author):
    own = run_and_answer(learner)
    (said,) = fresh.fresh("05", learner)
    (copy,) = copies(learner)
    assert re.fullmatch(r"05_asking_for_zeros-\d{4}-\d\d-\d\d-\d{4}\.ipynb", copy.name)
    assert said == f"{FIRST} is laid anew. Your old copy is notebooks/kept/{copy.name}."
    assert copy.read_bytes() == own[FIRST]
    assert (learner / "notebooks" / FIRST).read_bytes() == (author / "notebooks" / FIRST).read_bytes()
    assert (learner / "notebooks" / SECOND).read_bytes() == own[SECOND]
    assert git(learner, "status", "--porcelain") == f" M notebooks/{SECOND}\n"  # git does not see the copy
    assert lessons.pages(learner) == [learner / "notebooks" / name for name in (FIRST, SECOND)]  # nor does the course
    assert fresh.fresh("05", learner) == [f"{FIRST} is as the course has it already."]


def test_answers_in_a_commit_are_not_taken_for_the_course(learner, author):
    """Such as nbgitpuller makes on a hub."""
    own = run_and_answer(learner)
    commit(learner, "mine")
    fresh.fresh("05", learner)
    assert answers(learner) == answers(author)
    assert [path.read_bytes() for path in copies(learner)] == [own[FIRST]]


def test_two_within_a_minute_are_both_kept(learner):
    for answer in (b"{}", b"{ }"):
        (learner / "notebooks" / FIRST).write_bytes(answer)
        fresh.fresh("05", learner)
    assert {path.read_bytes() for path in copies(learner)} == {b"{}", b"{ }"}


def test_a_deleted_lesson_comes_again(learner):
    (learner / "notebooks" / FIRST).unlink()
    assert fresh.fresh("05", learner) == [f"{FIRST} is laid anew."]
    assert not git(learner, "status", "--porcelain")


@pytest.mark.parametrize("part", ["", "0", "13"])
def test_it_asks_which_lesson(learner, part):
    with pytest.raises(fresh.RefusedError, match=rf"Which lesson\? .* There are {FIRST}, {SECOND}\."):
        fresh.fresh(part, learner)


def test_an_archive_takes_it_from_another_copy(learner, author, tmp_path):
    """Also where it was unpacked inside a repository of somebody else."""
    own = run_and_answer(learner)
    shutil.rmtree(learner / ".git")
    git(tmp_path, "init", "--quiet")
    with pytest.raises(fresh.RefusedError, match=r"Unpack it once more elsewhere and run: .* --from FOLDER"):
        fresh.fresh("05", learner)
    fresh.fresh("05", learner, author)
    assert answers(learner) == answers(author)
    assert [path.read_bytes() for path in copies(learner)] == [own[FIRST]]
    with pytest.raises(fresh.RefusedError, match="There are no lessons in"):
        fresh.fresh("05", learner, tmp_path)


# ------------------------------------------------------------------------------------------------------------ updates


def test_after_a_full_run_git_refuses_and_an_update_carries_the_answers_over(learner, author):
    own = run_and_answer(learner)
    publish(author, "# 05 · A lesson", "# 05 · A better lesson")
    publish(author, "# 06", "# 06,", SECOND)
    with pytest.raises(subprocess.CalledProcessError):
        git(learner, "pull")
    said = fresh.update(learner)
    assert git(learner, "rev-parse", "HEAD") == git(author, "rev-parse", "HEAD")
    new, old = lessons.read(learner / "notebooks" / FIRST), lessons.read(author / "notebooks" / FIRST)
    differing = [b.source for a, b in zip(old.cells, new.cells, strict=True) if a != b]
    assert differing == [ANSWER, stub(old, "5.2").source + "\n# mine too"]  # new lesson, own answers, nothing else
    assert (learner / "notebooks" / SECOND).read_bytes() == (author / "notebooks" / SECOND).read_bytes()
    assert [path.read_bytes() for path in copies(learner)] == [*own.values()]
    assert said[0] == f"{FIRST}: carried over: 5.1, 5.2."
    assert fresh.update(learner) == ["The course has nothing new."]


def test_a_lesson_that_has_not_changed_stays_as_the_learner_left_it(learner, author):
    own = run_and_answer(learner)
    publish(author, "# 06", "# 06,", SECOND)
    fresh.update(learner)
    assert (learner / "notebooks" / FIRST).read_bytes() == own[FIRST]
    assert len(copies(learner)) == 1


def test_where_nothing_is_new_nothing_is_touched(learner):
    own = run_and_answer(learner)
    assert fresh.update(learner) == ["The course has nothing new."]
    assert everything(learner) == set(own.values())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Write `first(x)`.", "Write `first(x)` for x above zero."),
        ("#### Exercise 5.1 ·", "#### Exercise 5.9 ·"),
        ("What first says.", "What first is."),  # stub and solution
    ],
)
def test_the_answer_to_another_exercise_stays_in_the_old_copy(learner, author, old, new):
    own = run_and_answer(learner)
    publish(author, old, new)
    said = fresh.update(learner)
    assert f"{FIRST}: carried over: 5.2." in said
    assert f"{FIRST}: the exercise has changed, so your answer stays in your old copy: 5.1." in said
    assert ANSWER not in answers(learner).values()
    assert own[FIRST] in everything(learner)


def test_an_answer_in_several_cells_is_carried_over_whole(learner, author):
    path = learner / "notebooks" / FIRST
    notebook = lessons.read(path)
    place = notebook.cells.index(stub(notebook, "5.1"))
    notebook.cells.insert(place, nbformat.v4.new_code_cell("def helper():\n    return 1"))
    notebook.cells[place + 1].source = ANSWER
    nbformat.write(notebook, path)
    publish(author, "# 05 · A lesson", "# 05 · A better lesson")
    fresh.update(learner)
    new = lessons.read(path)
    assert [cell.source for cell in new.cells[place : place + 2]] == ["def helper():\n    return 1", ANSWER]
    assert len(new.cells) == len(notebook.cells)


NO_NOTEBOOKS = [b"broken", b"[" * 10**5, b'{"cells": null}', b'{"cells": ["x"]}', b'{"cells": [{"source": 5}]}', b"[]"]


@pytest.mark.parametrize("broken", NO_NOTEBOOKS, ids=lambda broken: broken[:20].decode())
def test_what_is_no_notebook_any_more_is_kept(learner, author, broken):
    (learner / "notebooks" / FIRST).write_bytes(broken)
    publish(author, "# 05 · A lesson", "# 05 · A better lesson")
    fresh.update(learner)
    assert (learner / "notebooks" / FIRST).read_bytes() == (author / "notebooks" / FIRST).read_bytes()
    assert broken in everything(learner)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders")
def test_a_pipe_in_the_older_copy_is_not_waited_for(learner, author):
    for path in (learner / "notebooks" / "06_more.ipynb", learner / fresh.PROGRESS):
        os.mkfifo(path)
    assert fresh.bring_answers(learner, author) == ["There was no answer to carry over."]


def test_a_lesson_that_was_deleted_or_that_the_course_has_no_more(learner, author):
    own = run_and_answer(learner, [FIRST])
    (learner / "notebooks" / SECOND).unlink()
    git(author, "mv", f"notebooks/{FIRST}", "notebooks/05_l1.ipynb")
    publish(author, "# 06", "# 06,", SECOND)
    said = fresh.update(learner)
    assert f"{FIRST}: the course has this lesson no more." in said
    assert not (learner / "notebooks" / FIRST).exists()
    assert own[FIRST] in everything(learner)
    assert (learner / "notebooks" / SECOND).exists()


def test_it_says_when_the_environment_must_follow(learner, author):
    (author / "constraints.txt").write_text("torch==9")
    publish(author, "# 06", "# 06,", SECOND)
    assert any("make lab installs it" in sentence for sentence in fresh.update(learner))


def test_other_changed_files_are_named_and_nothing_is_done(learner, author):
    own = run_and_answer(learner)
    (learner / "README.md").write_text("mine")
    publish(author, "# 06", "# 06,", SECOND)
    with pytest.raises(fresh.RefusedError, match=r"changed here, but README\.md\. Undo that"):
        fresh.update(learner)
    assert everything(learner) == set(own.values())
    assert (learner / "README.md").read_text() == "mine"


@pytest.mark.parametrize("staged", [False, True])
def test_where_the_pull_fails_the_lessons_are_as_they_were(learner, author, staged):
    (learner / "notes.txt").write_text("a commit of the learner's own")
    commit(learner, "mine")
    own = run_and_answer(learner)
    if staged:
        git(learner, "add", "notebooks")
    publish(author, "# 06", "# 06,", SECOND)
    with pytest.raises(fresh.RefusedError, match=r"does not go in: .*Your lessons are as they were\."):
        fresh.update(learner)
    assert {path.name: path.read_bytes() for path in lessons.pages(learner)} == own
    assert not copies(learner)


def test_where_the_origin_does_not_answer_nothing_is_done(learner, tmp_path):
    own = run_and_answer(learner)
    (tmp_path / "origin.git").rename(tmp_path / "elsewhere.git")
    with pytest.raises(fresh.RefusedError, match="origin"):
        fresh.update(learner)
    assert everything(learner) == set(own.values())


# --------------------------------------------------------------------------------------------------------------- kills


class Killed(BaseException):
    """Nothing catches it."""


def broken_off(monkeypatch, step, work):
    """Kill a piece of work at its nth step: before a file is moved into its place, or git changes anything.

    Returns:
        Whether there were as many steps.
    """
    steps = itertools.count(1)

    def killing(function):
        def step_or_death(what, *more, **options):
            changes = not isinstance(what, list) or what[3] in {"fetch", "reset", "merge"}
            if changes and next(steps) >= step:  # and what would run on the way out does not run either
                raise Killed
            return function(what, *more, **options)

        return step_or_death

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killing(os.replace))
        patch.setattr(subprocess, "run", killing(subprocess.run))
        try:
            work()
        except Killed:
            return True
    return False


@pytest.mark.slow
def test_a_kill_at_any_step_of_an_update_loses_nothing_and_the_next_one_ends_it(learner, author, monkeypatch):
    """Killed at its first step, at its second, and so on: then everything is there, and once more makes it good."""
    begun = git(learner, "rev-parse", "HEAD").strip()
    publish(author, "# 05 · A lesson", "# 05 · A better lesson")
    for step in itertools.count(1):
        git(learner, "reset", "--hard", "--quiet", begun)
        shutil.rmtree(learner / "notebooks" / "kept", ignore_errors=True)
        own = run_and_answer(learner)
        if not broken_off(monkeypatch, step, lambda: fresh.update(learner)):
            break
        assert set(own.values()) <= everything(learner), f"killed at step {step}"
        fresh.update(learner)
        assert answers(learner)["5.1"] == ANSWER, f"killed at step {step}"
        assert "# 05 · A better lesson".encode() in (learner / "notebooks" / FIRST).read_bytes()
        assert (learner / "notebooks" / SECOND).read_bytes() == own[SECOND]  # nothing new came for it
        assert own[FIRST] in everything(learner)
        assert not [*learner.rglob("update-*"), *learner.rglob("*.part")]
    assert step > 8


def test_work_after_a_kill_is_not_overwritten(learner, author, monkeypatch):
    own = run_and_answer(learner)
    publish(author, "# 05 · A lesson", "# 05 · A better lesson")
    step = next(n for n in itertools.count(1) if killed_with_an_empty_lesson(learner, monkeypatch, n))
    assert step
    path = learner / "notebooks" / FIRST
    later = path.read_bytes().replace(b"A lesson", b"My lesson")
    path.write_bytes(later)
    fresh.update(learner)
    assert {later, own[FIRST]} <= everything(learner)


def killed_with_an_empty_lesson(learner, monkeypatch, step):
    """Kill an update at a step; tell whether the first lesson then lies there without answers."""
    broken_off(monkeypatch, step, lambda: fresh.update(learner))
    return ANSWER not in answers(learner).values()


def test_a_kill_at_any_step_of_a_fresh_start_loses_nothing(learner, monkeypatch):
    own = run_and_answer(learner, [FIRST])
    for step in itertools.count(1):
        if not broken_off(monkeypatch, step, lambda: fresh.fresh("05", learner)):
            break
        assert own[FIRST] in everything(learner)
    assert step == 3  # it moved two files into their places
    assert own[FIRST] in {path.read_bytes() for path in copies(learner)}


# ------------------------------------------------------------------------------------------------------------ archives


def test_a_new_archive_takes_the_answers_and_the_progress_of_the_old_one(learner, author, tmp_path):
    run_and_answer(learner)
    (learner / fresh.PROGRESS).write_text("noted\n")
    shutil.rmtree(learner / ".git")
    publish(author, "# 05 · A lesson", "# 05 · A better lesson")
    new = tmp_path / "new"
    shutil.copytree(author, new, ignore=shutil.ignore_patterns(".git"))
    with pytest.raises(fresh.RefusedError, match=r"in its folder run: python -m tools\.fresh --answers"):
        fresh.update(learner)
    assert fresh.bring_answers(learner, new) == [f"{FIRST}: carried over: 5.1, 5.2."]
    assert answers(new)["5.1"] == ANSWER
    assert "# 05 · A better lesson".encode() in (new / "notebooks" / FIRST).read_bytes()
    assert (new / fresh.PROGRESS).read_text() == "noted\n"
    assert fresh.bring_answers(learner, new) == ["There was no answer to carry over."]


def test_an_answer_that_is_there_already_stays(learner, author):
    run_and_answer(learner)
    path = author / "notebooks" / FIRST
    notebook = lessons.read(path)
    stub(notebook, "5.1").source = "another"
    nbformat.write(notebook, path)
    fresh.bring_answers(learner, author)
    assert answers(author)["5.1"] == "another"


# --------------------------------------------------------------------------------------------------------- the command


def test_the_command(learner):
    """As a learner types it, with the standard library alone."""
    shutil.copytree(lessons.ROOT / "tools", learner / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    run_and_answer(learner)

    def command(*words):
        return subprocess.run(
            [sys.executable, "-I", "-S", "-c", RUN, str(learner), *words], capture_output=True, text=True
        )

    done = command("05")
    assert done.stdout.startswith(f"{FIRST} is laid anew."), done.stderr
    assert command("--update").stdout == "The course has nothing new.\n"
    assert "Which lesson?" in command().stderr
    assert command().returncode == 1


RUN = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_module('tools.fresh', run_name='__main__')"


def test_every_exercise_of_the_course_is_found_and_open():
    for path in lessons.pages():
        found = fresh.exercises(fresh.parsed(path.read_bytes()))
        notebook = lessons.read(path)
        assert [*found] == [card.number for card in lessons.cards(notebook)]
        for number, exercise in found.items():
            assert fresh.is_open(notebook.cells[exercise.begin : exercise.end]), number


def test_kept_copies_are_no_tests():
    settings = (lessons.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert '"kept"' in re.search(r"^norecursedirs = .*$", settings, re.MULTILINE)[0]

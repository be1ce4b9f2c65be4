"""A release: one version everywhere, committed and tagged, and all that the lessons install on Colab."""

import re
import shutil
import subprocess
import time

import pytest

from tools import lessons, release, repository


def git(folder, *words):
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A repository with a copy of every file that a release writes."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "test")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "test@example.org")
    folder = tmp_path / "course"
    for path in release.written("9999.0.0"):
        target = folder / path.relative_to(lessons.ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=course")
    return folder


def later(version):
    """The next version, and the one after it."""
    first, *_ = release.numbers(version)
    return f"{first + 1}.0.0", f"{first + 1}.10.0"


def versions(folder):
    """Every version that stands in the places for it."""
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in release.PLACES}
    return {found for name, text in texts.items() for found in re.findall(release.PLACES[name], text, re.MULTILINE)}


def test_all_places_hold_one_version():
    assert versions(lessons.ROOT) == {release.current()}
    assert release.stamp() in ("", f"v{release.current()}")  # raises where the lessons differ


def test_no_place_is_forgotten():
    named = rf"(version\W{{0,5}}|sparsecourse[:=@v]+){re.escape(release.current())}\b"
    search = ["git", "grep", "--no-index", "--exclude-standard", "--name-only", "--extended-regexp", named]
    found = subprocess.run(search, cwd=lessons.ROOT, capture_output=True, text=True).stdout.splitlines()
    assert "CITATION.cff" in found  # the search works
    assert set(found) <= {*release.PLACES, *(f"notebooks/{path.name}" for path in lessons.pages())}


def test_a_release_is_one_commit_and_a_tag(course):
    """Twice, so that what the first has stamped is stamped anew; nothing but version and date changes."""
    old, commits = release.current(course), 1
    for version in later(old):
        release.release(version, course)
        commits += 1
        assert versions(course) == {version}
        assert release.stamp(course) == f"v{version}"
        assert git(course, "status", "--porcelain") == ""
        assert git(course, "log", "--format=%s").splitlines()[0] == f"Version {version}"
        assert git(course, "rev-list", "--count", "HEAD").strip() == str(commits)
        assert git(course, "describe").strip() == f"v{version}"  # of an annotated tag: --follow-tags pushes it
        added = re.findall(r"^\+(?!\+\+)(.*)$", git(course, "diff", "--unified=0", "HEAD~"), re.MULTILINE)
        assert all(version in line or time.strftime("%Y-%m-%d") in line for line in added)
    (cell,) = [cell for cell in lessons.read(lessons.pages(course)[5]).cells if "setup" in lessons.tags(cell)]
    assert f"\n    %pip install --quiet git+https://github.com/{{COURSE}}@v{version}\n" in cell.source
    assert f"date-released: {time.strftime('%Y-%m-%d')}\n" in (course / "CITATION.cff").read_text()


@pytest.mark.parametrize("version", ["", "v9.0.0", "9.0", "9.0.0rc1", "9.0.0\n", "0.0.1"])
def test_what_is_no_later_version_is_refused(course, version):
    with pytest.raises(ValueError, match=r"a version is written as|a release has a greater one"):
        release.release(version, course)
    assert git(course, "status", "--porcelain") == ""


def test_the_same_version_is_refused(course):
    with pytest.raises(ValueError, match="a release has a greater one"):
        release.release(release.current(course), course)


@pytest.mark.parametrize("name", ["README.md", "notes.txt"])
def test_what_is_not_committed_is_named_and_stays(course, name):
    with (course / name).open("a") as file:
        file.write("mine")
    with pytest.raises(repository.RefusedError, match=rf"Commit this first, or remove it.*\n.*{name}"):
        release.release("9999.0.0", course)
    assert (course / name).read_text(encoding="utf-8").endswith("mine")
    assert versions(course) == {release.current()}


def test_a_tag_is_made_once(course):
    git(course, "tag", "v9999.0.0")
    with pytest.raises(repository.RefusedError, match=r"There is a tag v9999\.0\.0 already\."):
        release.release("9999.0.0", course)


def test_where_git_fails_everything_is_as_it_was(course):
    hook = course / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not today >&2\nexit 1\n")
    hook.chmod(0o755)
    before = git(course, "rev-parse", "HEAD")
    with pytest.raises(repository.RefusedError, match="not today"):
        release.release("9999.0.0", course)
    assert git(course, "rev-parse", "HEAD") == before
    assert git(course, "status", "--porcelain") == git(course, "tag") == ""
    assert versions(course) == {release.current()}


def test_a_place_without_a_version_is_named(course):
    (course / "CITATION.cff").write_text("cff-version: 1.2.0\n")
    with pytest.raises(ValueError, match=r"CITATION\.cff does not hold what a release writes"):
        release.release("9999.0.0", course)


def test_lessons_that_install_different_versions_are_found(course):
    release.release("9999.0.0", course)
    lesson = lessons.pages(course)[3]
    lesson.write_text(lesson.read_text(encoding="utf-8").replace("@v9999.0.0", "@v9998.0.0"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"different versions: @v9998\.0\.0, @v9999\.0\.0"):
        release.stamp(course)

"""A release: its version in every place, a commit, and a tag.

python -m tools.release          print the version
python -m tools.release 0.2.0    make a release of what is committed; nothing is pushed

The lessons' setup cells then install that release and no later one, so a lesson that somebody keeps on Colab goes on
working. The standard library and git are all that this needs.
"""

import re
import sys
import time

from tools.lessons import ROOT, pages
from tools.repository import RefusedError, commit, git

NUMBER = r"\d+\.\d+\.\d+"
PLACES = {  # file: what the version is in it; the first is the one that counts
    "pyproject.toml": rf'(?<=^version = "){NUMBER}(?="$)',
    "lib/sparsecourse/__init__.py": rf'(?<=^__version__ = "){NUMBER}(?="$)',
    "CITATION.cff": rf"(?<=^version: ){NUMBER}$",
    "README.md": rf"(?<=, version ){NUMBER}(?=, \d{{4}}: )",
    "workshop/hub/README.md": rf"(?<=/sparsecourse:){NUMBER}",
    "workshop/hub/z2jh/Dockerfile": rf"(?<=/sparsecourse:){NUMBER}",
    "workshop/hub/z2jh/config.yaml": rf'(?<=^    tag: "){NUMBER}(?="$)',
}
DATES = {
    "CITATION.cff": (r"(?<=^date-released: ).+$", "%Y-%m-%d"),
    "README.md": (r"(?<=\d, )\d{4}(?=: a course)", "%Y"),
}
SETUP = rf"(?<=pip install --quiet git\+https://github\.com/\{{COURSE\}})(?:@v{NUMBER})?(?=\\n)"  # in a notebook's JSON


def current(root=ROOT):
    """The version of the course, as in 0.1.0."""
    first, pattern = next(iter(PLACES.items()))
    return re.search(pattern, (root / first).read_text(encoding="utf-8"), re.MULTILINE)[0]


def stamp(root=ROOT):
    """The tag that the lessons' setup cells install, as in v0.1.0; "" before the first release, for the newest.

    Args:
        root: the course's folder.

    Raises:
        ValueError: a lesson has no setup cell, or another tag than the first lesson.
    """
    found = {path.name: re.search(SETUP, path.read_text(encoding="utf-8")) for path in pages(root)}
    if missing := [name for name, match in found.items() if match is None]:
        raise ValueError(f"{missing[0]} has no setup cell that installs the course")
    tags = {match[0] for match in found.values()}
    if len(tags) != 1:
        raise ValueError(f"the lessons install different versions: {', '.join(sorted(tags))}")
    return tags.pop().removeprefix("@")


def written(version, root=ROOT):
    """Every file in which the version stands, as it will be.

    Args:
        version: as in 0.2.0.
        root: the course's folder.

    Returns:
        {path: text}.

    Raises:
        ValueError: a file does not hold the version where it should; nothing was changed.
    """
    changes = [(root / name, pattern, version) for name, pattern in PLACES.items()]
    changes += [(root / name, pattern, time.strftime(form)) for name, (pattern, form) in DATES.items()]
    changes += [(path, SETUP, f"@v{version}") for path in pages(root)]
    texts = {}
    for path, pattern, new in changes:
        text = texts.get(path) or path.read_text(encoding="utf-8")
        texts[path], count = re.subn(pattern, new, text, flags=re.MULTILINE)
        if not count:
            raise ValueError(f"{path.relative_to(root).as_posix()} does not hold what a release writes: {pattern}")
    return texts


def release(version, root=ROOT):
    """Write a version into every place, commit that, and tag it.

    Args:
        version: as in 0.2.0.
        root: the course's folder.

    Raises:
        ValueError: this is no version, or none that is greater; or a place for it is missing.
        RefusedError: something is not committed, or git says no. Everything is then as it was.
    """
    if not re.fullmatch(NUMBER, version):
        raise ValueError(f"a version is written as 0.2.0, got {version!r}")
    now = current(root)
    if numbers(version) <= numbers(now):
        raise ValueError(f"the version is {now}; a release has a greater one, got {version}")
    texts, before = written(version, root), commit(root, "HEAD")
    if changed := git(root, "status", "--porcelain").decode():
        raise RefusedError(f"Commit this first, or remove it: a release is what is committed.\n{changed.rstrip()}")
    if git(root, "tag", "--list", f"v{version}"):
        raise RefusedError(f"There is a tag v{version} already.")
    try:
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8", newline="\n")
        git(root, "commit", "--quiet", "--all", "--message", f"Version {version}")
        git(root, "tag", "--annotate", f"v{version}", "--message", f"Version {version}")
    except BaseException:
        git(root, "reset", "--quiet", "--hard", before)  # all of it was committed
        raise


def numbers(version):
    """A version's three numbers, to compare it."""
    return [int(part) for part in version.split(".")]


def main():
    if len(sys.argv) > 2:
        sys.exit("usage: python -m tools.release [0.2.0]")
    if len(sys.argv) == 1:
        print(current())
        return
    try:
        release(sys.argv[1])
    except (ValueError, RefusedError) as error:
        sys.exit(str(error))
    print(f"Version {sys.argv[1]} is committed and tagged. Look at it with git show, then: git push --follow-tags")


if __name__ == "__main__":
    main()

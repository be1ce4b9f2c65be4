"""The course's git repository, for tools that change it: git's words, or why not."""

import shutil
import subprocess


class RefusedError(Exception):
    """Why nothing was done, in words for people."""


def git(root, *arguments):
    """What a git command prints, as bytes.

    Args:
        root: the course's folder.
        *arguments: the command's words.

    Raises:
        RefusedError: git says no; in its own words.
    """
    if shutil.which("git") is None:
        raise RefusedError("This needs git, and there is no program of that name here.")
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=False)
    if done.returncode:
        raise RefusedError((done.stderr or done.stdout).decode(errors="replace").strip())
    return done.stdout


def names(root, command, *arguments):
    """The names that a git command lists, from the course's folder on."""
    return [name for name in git(root, command, "--name-only", "-z", *arguments).decode().split("\0") if name]


def copy(root, folder):
    """Copy the course's files as they are now, without what git ignores, into a folder."""
    listed = git(root, "ls-files", "--cached", "--others", "--exclude-standard", "-z").decode().split("\0")
    for name in listed:
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, folder / name)


def commit(root, revision):
    """The commit that a revision names, as hexadecimal digits."""
    return git(root, "rev-parse", "--verify", revision).decode().strip()

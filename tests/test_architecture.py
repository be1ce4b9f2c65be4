"""The rooms of the library: imports point only up the table of docs/architecture.md, and no file outgrows its room."""

import ast
import re
from graphlib import TopologicalSorter

import pytest

from tools import lessons

LIBRARY = lessons.ROOT / "lib" / "sparsecourse"
PAGE = (lessons.ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROOMS = [room for cell in re.findall(r"^\| (`.*?`) \|", PAGE, re.MULTILINE) for room in re.findall(r"`(\w+)`", cell)]
LONGEST = 320  # lines of a file; a lesson's exercises are content, and as long as they need to be


def module(path):
    """The name by which a file of the library is imported."""
    parts = path.relative_to(LIBRARY.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module(path): path for path in sorted(LIBRARY.rglob("*.py"))}


def imports(name):
    """Modules of the library that one of them imports, wherever in the file that stands."""
    found = set()
    for node in ast.walk(ast.parse(FILES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    # `from sparsecourse import masks` imports the room, not the package that holds all rooms
    return {other for other in found if other in FILES and other not in ("sparsecourse", name)}


def room(name):
    return name.split(".")[1]


def test_every_room_stands_in_the_table_once():
    assert sorted(ROOMS) == sorted({room(name) for name in FILES if name != "sparsecourse"})


def test_every_file_of_site_and_workshop_stands_in_a_table_once():
    folders = [lessons.ROOT / "site", lessons.ROOT / "workshop"]
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".js", ".css")]
    made = [path.relative_to(lessons.ROOT).as_posix() for path in files if "templates" not in path.parts]
    assert sorted(re.findall(r"^\| `((?:site|workshop)/.+?)` \|", PAGE, re.MULTILINE)) == sorted(made)


@pytest.mark.parametrize("name", [name for name in FILES if name != "sparsecourse"])
def test_imports_point_up_the_table(name):
    here = ROOMS.index(room(name))
    below = [other for other in imports(name) if ROOMS.index(room(other)) > here]
    assert not below, f"{room(name)} stands above them in docs/architecture.md"


def test_there_is_no_circle():
    TopologicalSorter({name: imports(name) for name in FILES}).prepare()  # raises CycleError, which names it


def test_plots_know_colours_only():
    known = {room(other) for name in FILES if room(f"{name}.") == "plots" for other in imports(name)}
    assert known == {"plots", "palette"}


@pytest.mark.parametrize("name", [name for name in FILES if ".exercises.lesson" not in name])
def test_no_file_outgrows_its_room(name):
    lines = FILES[name].read_text(encoding="utf-8").count("\n")
    assert lines <= LONGEST, f"{name} has {lines} lines: make two files of its subjects"


def test_the_library_stands_on_nothing_beside_it():
    beside = {path.name for path in lessons.ROOT.iterdir() if path.is_dir()} | {"tools", "tests", "workshop"}
    for name, path in FILES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert not {word.split(".")[0] for word in names} & beside, name

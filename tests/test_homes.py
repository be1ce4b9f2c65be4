"""What a learner lays into a folder of their own must not break the table for the others, steer the instructor's
machine, or earn credit by a link."""

import csv
import os
import re
import shutil
import socket
import subprocess
import sys

import pytest

from sparsecourse import homes, progress
from sparsecourse.exercises import notes
from tools import lessons

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links, pipes and owners are those of Unix")
AS_ROOT = pytest.mark.skipif(os.name != "nt" and os.geteuid() != 0, reason="only root gives files away")
GOOD = {"exercise": '"1.1"', "solved": "true", "time": '"2026-11-28T09:00:00+00:00"'}


def line(**changed):
    """A line of a learner's file, with some values in other JSON."""
    return "{" + ", ".join(f'"{key}": {value}' for key, value in (GOOD | changed).items()) + "}\n"


@pytest.fixture
def room(tmp_path, monkeypatch):
    """Homes in which Ada has solved three exercises, and Ben has a folder."""
    monkeypatch.delenv(notes.SWITCH)
    for name in ("ada", "ben"):
        (tmp_path / "homes" / name / "course").mkdir(parents=True)
    for number in ("0.1", "1.1", "1.2"):
        notes.note(number, True, tmp_path / "homes" / "ada" / "course")
    return tmp_path / "homes"


def rows(room):
    """The table's rows by learner. Ada's is there, whatever Ben did."""
    table = progress.collect(room).set_index("learner")
    assert table.loc["ada", ["solved", "tried", "damaged", "problem"]].tolist() == [3, 3, 0, ""]
    return table


def sparse(path, _):
    path.touch()
    os.truncate(path, 20 * 10**9)


def blank(path, _):
    path.write_text("\n" * (homes.LINES + 1))


def pipe(path, _):
    os.mkfifo(path)


def plug(path, _):
    os.chdir(path.parent)  # its address has room for a short path only
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)


def link(path, other):
    path.symlink_to(other)


def second_name(path, other):
    os.link(other, path)


def link_above(path, other):
    path.parent.rmdir()
    path.parent.symlink_to(other.parent)


def link_as_home(path, other):
    shutil.rmtree(path.parent.parent)
    path.parent.parent.symlink_to(other.parent.parent)


def link_in_a_circle(path, _):
    shutil.rmtree(path.parent.parent)
    path.parent.parent.symlink_to(path.parent.parent.name)


def many_folders(path, _):
    for count in range(homes.FOLDERS):
        (path.parent / str(count)).mkdir()


@pytest.mark.parametrize(
    ("attack", "words"),
    [
        (sparse, "more than 1 MB or 30000 lines: course/progress.jsonl"),
        (blank, "more than 1 MB or 30000 lines: course/progress.jsonl"),
        (pipe, "no ordinary file: course/progress.jsonl"),
        (plug, "No such device or address: course/progress.jsonl"),
        (link, "a link, not followed: course/progress.jsonl"),
        (link_above, "a link, not followed: course"),
        (link_as_home, "a link, not followed"),
        (link_in_a_circle, "a link, not followed"),
        (many_folders, "more than 2000 folders, the rest not looked into"),
    ],
)
def test_what_is_wrong_stands_in_its_learner_s_row_alone(room, attack, words, monkeypatch):
    monkeypatch.chdir(room)  # back again at the end
    attack(room / "ben" / "course" / notes.NAME, room / "ada" / "course" / notes.NAME)
    row = rows(room).loc["ben"]
    assert row["problem"] == words
    assert (row["solved"], row["tried"]) == (0, 0)


def test_a_hard_link_earns_nothing(room):
    """On Linux only who may write a file can make one, unless the administrator has allowed it to all."""
    os.link(room / "ada" / "course" / notes.NAME, room / "ben" / "course" / notes.NAME)
    table = progress.collect(room).set_index("learner")
    assert table["solved"].tolist() == [0, 0]
    assert table["problem"].tolist() == ["a file with a second name, a hard link: course/progress.jsonl"] * 2


@AS_ROOT
def test_somebody_else_s_file_earns_nothing(room):
    shutil.copy(room / "ada" / "course" / notes.NAME, room / "ben" / "course")
    os.chown(room / "ben" / "course" / notes.NAME, 12345, -1)
    assert rows(room).loc["ben", ["solved", "problem"]].tolist() == [
        0,
        "a file of somebody else's: course/progress.jsonl",
    ]


def test_so_many_files_and_no_more(room):
    for count in range(homes.FILES + 1):
        (room / "ben" / str(count)).mkdir()
        (room / "ben" / str(count) / notes.NAME).write_text(line())
    row = rows(room).loc["ben"]
    assert row[["solved", "tried", "problem"]].tolist() == [1, 10, "more than 10 files, the rest not read"]


def test_nested_folders_are_not_followed_down(room, monkeypatch):
    deep = os.path.join(room, "ben", *["d"] * 1500)
    for end in range(len(str(room / "ben")) + 2, len(deep) + 1, 2):
        os.mkdir(deep[:end])
    try:
        (room / "ben" / "d" / "d" / notes.NAME).write_text(line())
        (room / "ben" / "d" / "d" / "d" / "d" / notes.NAME).write_text(line(exercise='"2.1"'))
        assert rows(room).loc["ben", ["solved", "problem"]].tolist() == [1, ""]
        (room / "ben" / "d" / "d" / "d" / "d" / notes.NAME).unlink()
        (room / "ben" / "d" / "d" / notes.NAME).unlink()
    finally:
        os.removedirs(deep)  # as deep as this, pytest can't


@pytest.mark.parametrize("above", [False, True])
def test_what_is_exchanged_while_it_is_read_is_not_followed(room, monkeypatch, above):
    """At the last moment before the file is opened, a link to Ada's takes its place, or the place of its folder."""
    own, others, looked_at = room / "ben" / "course", room / "ada" / "course", os.path.islink
    (own / notes.NAME).write_text(line(exercise='"2.1"'))

    def exchange(path):
        if str(path) != str(own / notes.NAME):
            return looked_at(path)
        if above:
            own.rename(room / "ben" / "aside")
            own.symlink_to(others)
        else:
            (own / notes.NAME).unlink()
            (own / notes.NAME).symlink_to(others / notes.NAME)
        return False

    monkeypatch.setattr(os.path, "islink", exchange)
    table = progress.collect(room).set_index("learner")
    assert table["solved"].tolist() == ([3, 1] if above else [3, 0])
    assert ("symbolic link" in table.loc["ben", "problem"]) != above


def test_a_file_may_grow_while_it_is_read(room, monkeypatch):
    path, look = room / "ben" / "course" / notes.NAME, os.fstat
    path.write_text(line())
    size = path.stat().st_size

    def grow(descriptor):
        found = look(descriptor)
        if found.st_size == size:
            os.truncate(path, 10**10)
        return found

    monkeypatch.setattr(os, "fstat", grow)
    assert rows(room).loc["ben", "problem"] == "more than 1 MB or 30000 lines: course/progress.jsonl"


@pytest.mark.skipif(os.name != "nt" and os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_told(room):
    (room / "ben").chmod(0)
    assert rows(room).loc["ben", "problem"] == "Permission denied: ben"
    (room / "ben").chmod(0o700)


# ------------------------------------------------------------------------------------------------- what stands in them


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 400,
        b"[" * 200_000,
        b'{"exercise": ' + b"9" * 400 + b"}",
        b"9" * 10_000,
        line(solved="NaN").encode(),
        line(solved="1").encode(),
        line(solved='"true"').encode(),
        line(exercise="1.1").encode(),
        line(exercise="[]").encode(),
        line(exercise='"=1+1"').encode(),
        line(exercise='"1.1\n"').encode(),
        line(exercise='"\\ud800"').encode(),
        line(exercise='"١.١"').encode(),  # digits, but Arabic ones
        line(exercise=f'"1.{"1" * 400}"').encode(),
        line(time='"=1"').encode(),
        line(time="0").encode(),
        line(time='"2026-11-28T09:00:00"').encode(),  # where?
        line(time='"0001-01-01T00:00:00+23:59"').encode(),  # before all time
        line(more=f'"{"x" * 500}"').encode(),
        b"null",
        b"\xff\xfe",
        b"\x00" * 100,
        line().encode("utf-16"),
    ],
)
def test_what_was_never_noted_counts_as_one_damaged_line_or_two(content, tmp_path):
    """UTF-16 has line ends in the middle of letters."""
    (tmp_path / notes.NAME).write_bytes(content)
    entries, damaged = notes.read(tmp_path / notes.NAME)
    assert entries == []
    assert damaged in (1, 2)


def test_times_are_one_zone_s(tmp_path):
    (tmp_path / notes.NAME).write_text(line(time='"2026-11-28T01:00:00+02:00"'))
    assert [entry.time for entry in notes.read(tmp_path / notes.NAME)[0]] == ["2026-11-27T23:00:00+00:00"]


def test_times_to_come_are_damaged_and_repeated_ones_count_once(room):
    (room / "ben" / notes.NAME).write_text(line() * 2 + line(exercise='"1.2"', time='"9999-12-31T23:59:59+00:00"'))
    row = rows(room).loc["ben"]
    assert row[["solved", "tried", "damaged"]].tolist() == [1, 2, 1]


# ---------------------------------------------------------------------------------------------- where it is shown


NAMES = {
    "\x1b[2Jgone": r"\x1b[2Jgone",
    "a\nb": r"a\nb",
    "\u202egnp.exe": r"\u202egnp.exe",
    "caf\udce9": r"caf\udce9",
    r"a\nb": r"a\\nb",
    "Zoë": "Zoë",
    "=1+1": "=1+1",
    "+1": "+1",
    "-1": "-1",
    "@SUM(1)": "@SUM(1)",
    " =1": " =1",
    "＝1": "＝1",
    "\t=1": r"\t=1",
    "\r=1": r"\r=1",
    'a;=1"': 'a;=1"',
}


def test_names_steer_neither_a_terminal_nor_a_spreadsheet(room, tmp_path, capsys):
    for name in NAMES:
        (room / name).mkdir()
        notes.note("1.1", True, room / name)
    (room / "ben" / "x;=1+1;y").symlink_to(room)  # its name stands among the problems
    progress.main([str(room), "--csv", str(tmp_path / "room.csv")])
    said = capsys.readouterr().out
    assert all(c.isprintable() or c == "\n" for c in said)
    assert len(said.splitlines()) == len(NAMES) + 3  # the heading, Ada and Ben
    lines = (tmp_path / "room.csv").read_text(encoding="utf-8").splitlines()
    found = [row["learner"].removeprefix("'") for row in csv.DictReader(lines)]
    assert sorted(found) == sorted([name.replace(";", ",") for name in NAMES.values()] + ["ada", "ben"])
    for ends in ",;\t":  # what ends a cell differs from country to country
        cells = [cell for row in csv.reader(lines, delimiter=ends) for cell in row]
        assert not [cell for cell in cells if cell.lstrip()[:1] in tuple("=+-@＝＋－＠")]


def test_a_link_that_waits_for_the_table_is_not_followed(room, tmp_path):
    (tmp_path / "mine").write_text("mine")
    (room / "ben" / "room.csv").symlink_to(tmp_path / "mine")
    with pytest.raises(SystemExit, match=r"room\.csv can't be written"):
        progress.main([str(room), "--csv", str(room / "ben" / "room.csv")])
    assert (tmp_path / "mine").read_text() == "mine"
    progress.main([str(room), "--csv", str(tmp_path / "room.csv")])
    assert (tmp_path / "room.csv").stat().st_mode & 0o777 == 0o600  # names are nobody else's business


# --------------------------------------------------------------------------------------------- the command, in a trap


@pytest.fixture
def trap(room):
    """Ben's folder holds modules with the names of those that the command needs. Each leaves a trace when it runs."""
    for name in (
        "pandas",
        "json",
        "csv",
        "argparse",
        "numpy",
        "torch",
        "os",
        "re",
        "datetime",
        "sparsecourse/progress",
    ):
        path = room / "ben" / "course" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"open({str(room / 'trace')!r}, 'a').write(__name__)\n")
    return room


def command(folder, *options):
    ask = [sys.executable, *options, "-m", "sparsecourse.progress", folder]
    return subprocess.run(ask, cwd=folder / "ben" / "course", capture_output=True, text=True)


def test_the_command_runs_nothing_of_the_working_folder_s(trap):
    done = command(trap, "-I")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].split()[:3] == ["ada", "1", "2"]
    assert not (trap / "trace").exists()


def test_the_command_refuses_to_run_what_lies_in_the_working_folder(trap):
    """Where the library itself is planted, the library can't refuse: so every page says -I."""
    shutil.rmtree(trap / "ben" / "course" / "sparsecourse")
    done = command(trap)
    assert done.stderr.startswith("Please run python -I -m sparsecourse.progress")
    assert done.returncode == 1
    assert not (trap / "trace").exists()


@AS_ROOT
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="this system has no setpriv")
def test_the_page_s_command_for_a_server_reads_closed_homes_and_can_write_nothing_in_them(room):
    for user, home in enumerate((room / "ada", room / "ben"), 12345):
        for path in (home, *home.rglob("*")):
            os.chown(path, user, user)
        home.chmod(0o700)
    page = (lessons.ROOT / "docs" / "progress.md").read_text(encoding="utf-8")
    asked = re.search(r"    sudo (setpriv .*?)/opt/tljh/user/bin/python( -I .*?)/home\n", page, re.DOTALL)
    rights = asked[1].replace("$(id -u)", "65534").replace("$(id -g)", "65534").replace("\\\n", "")
    done = subprocess.run(f"{rights} {sys.executable} {asked[2]} {room}", shell=True, capture_output=True, text=True)
    assert [row.split()[:3] for row in done.stdout.splitlines()[1:]] == [["ada", "1", "2"]], done.stderr
    assert subprocess.run(f"{rights} touch {room}/ada/new", shell=True, capture_output=True).returncode != 0


def test_every_page_says_it_isolated():
    patterns = ("*.md", "docs/*.md", "workshop/**/*.md", "notebooks/*.ipynb", "lib/sparsecourse/progress.py")
    text = "".join(path.read_text(encoding="utf-8") for pattern in patterns for path in lessons.ROOT.glob(pattern))
    said = re.findall(r"(?:-\w )?-m sparsecourse\.progress", text)
    assert len(said) >= 6
    assert set(said) == {"-I -m sparsecourse.progress"}

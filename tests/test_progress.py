"""A learner's progress: noted in one small file, never lost, and collected over a room."""

import os
import re
import runpy
import signal
import subprocess
import sys

import pytest
from traitlets.config import Config

from sparsecourse import progress
from sparsecourse.exercises import check, exercises, notes
from sparsecourse.exercises.lesson12 import SHORT_FORM
from tools import fresh, lessons


@pytest.fixture(autouse=True)
def switched_on(monkeypatch, tmp_path):
    monkeypatch.delenv(notes.SWITCH)
    monkeypatch.chdir(tmp_path)


def test_check_notes_right_and_wrong_answers_but_no_stubs(tmp_path, capsys):
    check("0.1", ...)
    check("0.1", lambda weights, cut: None)
    assert not (tmp_path / notes.NAME).exists()
    check("0.1", lambda weights, cut: cut)
    check("0.1", lambda weights, cut: weights - cut)
    check("0.1", 5)
    entries, damaged = notes.read(tmp_path / notes.NAME)
    assert [(entry.exercise, entry.solved) for entry in entries] == [("0.1", False), ("0.1", True), ("0.1", False)]
    assert notes.solved(entries) == {"0.1"}  # once right, it stays solved
    assert damaged == 0
    capsys.readouterr()
    progress.show()
    assert "00      1 of 1     ■" in capsys.readouterr().out


def test_only_the_course_s_own_variable_switches_it_off(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARSE" + "LAB_PROGRESS", "off")  # as it was once called
    notes.note("2.1", True)
    assert (tmp_path / notes.NAME).exists()
    monkeypatch.setenv("SPARSECOURSE_PROGRESS", "off")
    assert notes.switched_off()


def test_the_map_has_a_box_for_every_exercise(capsys):
    notes.note("2.1", True)
    notes.note("2.2", False)
    progress.show()
    lines = capsys.readouterr().out.splitlines()
    boxes = "".join(line.split()[-1] for line in lines if " of " in line)
    assert len(boxes) == len([number for number in exercises() if not number.startswith("12.")])  # the self-test
    assert [boxes.count(box) for box in (progress.SOLVED, progress.TRIED)] == [1, 1]
    assert next(line for line in lines if line.startswith("02")).startswith("02      1 of 5     ■◪")


@pytest.mark.parametrize("word", ["off", "Off ", "no", "false", "0"])
def test_it_can_be_switched_off(monkeypatch, tmp_path, capsys, word):
    monkeypatch.setenv(notes.SWITCH, word)
    check("0.1", lambda weights, cut: weights - cut)
    assert not list(tmp_path.iterdir())
    monkeypatch.delenv(notes.SWITCH)
    notes.note("0.1", True)
    monkeypatch.setenv(notes.SWITCH, word)
    capsys.readouterr()
    progress.show()
    assert "00      0 of 1     □" in capsys.readouterr().out
    assert progress.collect(".")["solved"].item() == 1  # the table of a room still reads what was noted before


PAGE = (lessons.ROOT / "docs" / "progress.md").read_text(encoding="utf-8")


def test_it_is_switched_off_as_the_page_says_in_a_notebook(tmp_path):
    cells = [re.search(r"`(%env .*?)`", PAGE)[1], "from sparsecourse.exercises import check", "check('12.1', 8)"]
    for lines, noted in ((cells[1:], True), (cells, False)):
        code = "from IPython.core.interactiveshell import InteractiveShell as Shell\n"
        code += "".join(f"assert Shell.instance().run_cell({line!r}).success\n" for line in lines)
        subprocess.run([sys.executable, "-c", code], check=True)
        assert (tmp_path / notes.NAME).exists() == noted
        (tmp_path / notes.NAME).unlink(missing_ok=True)


def test_it_is_switched_off_as_the_page_says_for_a_room(monkeypatch):
    pytest.importorskip("jupyterhub")  # a room's settings ask for its version
    config = Config()
    runpy.run_path(str(lessons.ROOT / "workshop/hub/tljh/room.py"), {"get_config": lambda: config})
    exec(re.search(r"`(c\.Spawner.*?)`", PAGE)[1], {"c": config})
    assert len(config.Spawner.environment) > 1  # what else is set there stays
    monkeypatch.setenv(notes.SWITCH, config.Spawner.environment[notes.SWITCH])
    assert notes.switched_off()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
def test_a_neighbour_on_the_same_machine_may_not_read_it(tmp_path):
    notes.note("0.1", True)
    assert (tmp_path / notes.NAME).stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_written_is_no_error(tmp_path, capsys):
    (tmp_path / notes.NAME).mkdir()
    check("0.1", lambda weights, cut: weights - cut)
    said = capsys.readouterr().out
    assert said.startswith("0.1 correct")
    assert "Your progress was not noted in progress.jsonl: " in said


def test_torn_and_foreign_lines_cost_nothing_else(tmp_path, capsys):
    notes.note("1.1", True)
    path = tmp_path / notes.NAME
    path.write_bytes(path.read_bytes() + b'{"exercise": "1.2", "sol')  # a machine lost its power here
    notes.note("1.3", True)
    with path.open("ab") as file:
        file.write(b"[1]\n\xff\xfe\n{}\n")
    entries, damaged = notes.read(path)
    assert notes.solved(entries) == {"1.1", "1.3"}
    assert damaged == 4
    progress.show()
    assert "4 damaged lines" in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_kernel_loses_nothing_that_was_noted(tmp_path):
    """A process notes as fast as it can and says how far it is; killed at any point, all that it had said is there."""
    code = "from sparsecourse.exercises import notes\nfor k in range(10**6): notes.note(f'1.{k}', True); print(k)"
    environment = {name: value for name, value in os.environ.items() if name != notes.SWITCH}
    command = [sys.executable, "-u", "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        said = [process.stdout.readline() for _ in range(50)]
        process.kill()
        said += process.stdout.read().split()
    entries, damaged = notes.read(tmp_path / notes.NAME)
    assert damaged <= 1
    assert len(said) <= len(entries) <= len(said) + 1
    assert [entry.exercise for entry in entries] == [f"1.{k}" for k in range(len(entries))]


def room(tmp_path):
    for learner, answers in {"ada": ["0.1", "1.1", "1.2"], "ben": ["0.1"], "eve": []}.items():
        folder = tmp_path / "homes" / learner / "course" / "notebooks"
        folder.mkdir(parents=True)
        for number in answers:
            notes.note(number, True, folder)
    (tmp_path / "homes" / "ben" / "old").mkdir()
    notes.note("0.1", True, tmp_path / "homes" / "ben" / "old")
    notes.note("5.1", False, tmp_path / "homes" / "ben" / "old")
    return tmp_path / "homes"


def test_a_room_becomes_one_table(tmp_path):
    table = progress.collect(room(tmp_path)).set_index("learner")
    assert table.index.tolist() == ["ada", "ben"]  # eve has not begun
    assert table["solved"].tolist() == [3, 1]
    assert table.loc["ada", ["lesson 00", "lesson 01", "lesson 05"]].tolist() == [1, 2, 0]
    assert table["tried"].tolist() == [3, 3]
    assert (table["damaged"] == 0).all()


def entry(exercise, solved, minute):
    return notes.Entry(exercise, solved, f"2026-11-28T09:{minute:02}:00+00:00")


def test_the_first_answer_of_a_sitting_counts():
    """Before: what no exercise of a lesson precedes. After: of what follows, the last sitting."""
    entries = [
        entry("0.1", True, 0),
        entry("12.1", False, 1),
        entry("12.1", True, 2),
        entry("12.2", True, 3),
        entry("1.1", False, 4),
        entry("12.1", False, 5),
        entry("12.3", True, 6),
        entry("2.1", True, 7),
        entry("12.1", True, 8),
        entry("12.1", False, 9),
    ]
    expected = ({"12.1": False, "12.2": True}, {"12.1": True, "12.3": True})
    assert progress.sittings(entries) == expected
    assert progress.sittings(reversed(entries)) == expected
    assert progress.sittings(entries[:1]) == ({}, {})


def test_a_self_test_laid_anew_keeps_what_was_noted(tmp_path, monkeypatch):
    page = tmp_path / "notebooks" / f"{lessons.SELF_TEST}.ipynb"
    page.parent.mkdir()
    page.write_text("with answers", encoding="utf-8")
    monkeypatch.chdir(page.parent)
    notes.note("12.5", True)
    notes.note("1.4", True)
    fresh.fresh("12", tmp_path, lessons.ROOT)
    notes.note("12.5", False)
    assert page.read_bytes() == (lessons.NOTEBOOKS / page.name).read_bytes()
    assert progress.sittings(notes.read(page.with_name(notes.NAME))[0]) == ({"12.5": True}, {"12.5": False})


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/progress.md",
        "workshop/README.md",
        "notebooks/00_start_here.ipynb",
        "notebooks/12_test_yourself.ipynb",
    ],
)
def test_every_page_says_where_the_notes_stay(page):
    """On a hub that is not the learner's machine."""
    path = lessons.ROOT / page
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n".join(cell.source for cell in lessons.read(path).cells)
    assert re.search(r"stays?\swhere\sthe\snotebook\sruns", text)


def test_the_self_test_says_what_to_read(capsys):
    progress.results()
    assert "No question has been answered yet" in capsys.readouterr().out
    check("12.1", 8)
    check("12.2", "C ")
    check("12.4", lambda W, j: None)  # not answered
    check("12.3", 60)
    check("12.3", 5)
    capsys.readouterr()
    progress.results()
    lines = capsys.readouterr().out.splitlines()
    assert lines[3] == "00      2 of 2      –  can be skipped"
    assert lines[4].startswith("01      0 of 2      –  read: A batch is X Wᵀ; From the diagram back")
    assert lines[-1].split() == ["all", "2", "of", "24", "–"]
    check("1.1", lambda W, x: 0)
    check("12.3", 5)
    capsys.readouterr()
    progress.results()
    lines = capsys.readouterr().out.splitlines()
    assert lines[4].startswith("01      0 of 2   1 of 2   read: From the diagram back to the matrix")
    table = progress.collect(".")
    assert (table["before"].item(), table["after"].item()) == (2, 1)


def test_the_short_form_is_counted_alone(capsys):
    check("12.5", 0.5)
    check("12.8", "b")
    check("1.1", lambda W, x: 0)
    check("12.5", 0.3)
    check("12.8", "b")
    capsys.readouterr()
    progress.results()
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines[3:]]  # below the caption and two rows of heads
    assert rows[0] == "02 0 of 1 1 of 1 known".split()
    assert rows[-1] == "all 1 of 6 2 of 6".split()
    assert len(rows) == len(SHORT_FORM) + 1
    check("12.1", 8)
    capsys.readouterr()
    progress.results()
    assert capsys.readouterr().out.splitlines()[-1].split()[-3:] == ["3", "of", "24"]


def test_the_self_test_is_no_exercise(tmp_path):
    notes.note("12.1", True)
    table = progress.collect(".")
    assert (table["solved"].item(), table["before"].item()) == (0, 1)
    assert table["after"].isna().all()


def test_odd_files_do_not_stop_the_table(tmp_path):
    homes = room(tmp_path)
    (homes / "eve" / notes.NAME).mkdir()
    (homes / "ben" / "old" / notes.NAME).write_text(
        "[" * 200_000 + '\n{"exercise": "1.1", "solved": true, "time": "=1"}\n'
    )
    table = progress.collect(homes).set_index("learner")
    assert table["damaged"].to_dict() == {"ada": 0, "ben": 2, "eve": 1}
    assert table.loc["ada", "solved"] == 3


def test_a_folder_that_is_gone_is_no_error(tmp_path, monkeypatch, capsys):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    check("0.1", lambda weights, cut: weights - cut)
    assert "Your progress was not noted" in capsys.readouterr().out


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_a_console_that_lacks_a_letter_is_no_error(tmp_path, encoding):
    """As on Windows, when what is printed goes into a file."""
    folder = tmp_path / "homes" / "Łukasz"
    folder.mkdir(parents=True)
    notes.note("0.1", True, folder)
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    command = [
        sys.executable,
        "-c",
        "import sys; from sparsecourse import progress as p; p.show(); p.main(sys.argv[1:])",
    ]
    done = subprocess.run([*command, folder.parent], cwd=folder, env=environment, capture_output=True, check=True)
    said = done.stdout.decode(encoding)
    assert ("1 of 1     ■" if encoding == "utf-8" else "1 of 1     x") in said
    assert ("Łukasz" if encoding == "utf-8" else r"\u0141ukasz") in said


def test_a_mark_of_byte_order_costs_no_line(tmp_path):
    """Editors on Windows put one before the first line."""
    notes.note("1.1", True)
    path = tmp_path / notes.NAME
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().lstrip())
    entries, damaged = notes.read(path)
    assert (notes.solved(entries), damaged) == ({"1.1"}, 0)


def test_the_working_folder_is_a_learner_with_a_name(tmp_path, monkeypatch):
    (tmp_path / "ada").mkdir()
    monkeypatch.chdir(tmp_path / "ada")
    notes.note("1.1", True)
    assert progress.collect(".")["learner"].tolist() == ["ada"]
    assert progress.collect("..")["learner"].tolist() == ["ada"]


def test_the_command(tmp_path, capsys):
    progress.main([str(room(tmp_path)), "--csv", str(tmp_path / "room.csv")])
    said = capsys.readouterr().out
    assert said.split()[:3] == ["learner", "00", "01"]
    assert "ada" in said
    assert (tmp_path / "room.csv").read_text().startswith('"learner","lesson 00",')
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match="has a learner there checked an answer yet"):
        progress.main([str(tmp_path / "empty")])
    with pytest.raises(SystemExit, match="nowhere can't be read: No such file"):
        progress.main([str(tmp_path / "nowhere")])

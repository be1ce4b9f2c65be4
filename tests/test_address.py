"""The course's address: one command sets it everywhere, again for a fork, and all places hold the same."""

import shutil

import pytest
import yaml

from tools import address, lessons


@pytest.fixture
def copy(tmp_path):
    """A copy of every file in which the address may stand."""
    for path in address.places():
        target = tmp_path / path.relative_to(lessons.ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return tmp_path


def named(root, name):
    """How often the files name a repository on GitHub."""
    return sum(path.read_text(encoding="utf-8").count(f"github.com/{name}") for path in address.places(root))


def test_all_places_hold_one_address():
    now = address.current()  # raises where the lessons differ
    readme = (lessons.ROOT / "README.md").read_text(encoding="utf-8")
    assert address.BADGES.search(readme)[0] == (address.badges(now) if now else address.WITHOUT)
    assert named(lessons.ROOT, now or address.UNSET)
    assert not now or not named(lessons.ROOT, address.UNSET)


def test_no_place_is_forgotten():
    """Whatever file of the course holds the address or its placeholder is one that the command rewrites."""
    name = f"github.com/{address.current() or address.UNSET}"
    folders = (".", "docs", "notebooks", "workshop", "lib", "data", "tools", ".github", "site")
    texts = [p for f in folders for p in (lessons.ROOT / f).glob("*" if f == "." else "**/*") if p.is_file()]
    kinds = {".md", ".py", ".ipynb", ".yml", ".yaml", ".toml", ".cff", ".txt", ".jinja", ".html", ""}
    holding = {p for p in texts if p.suffix in kinds and name in p.read_text("utf-8", "ignore")}
    assert len(holding) >= 2
    assert holding <= {path.resolve() for path in address.places()} | set(address.places())


def test_it_is_set_and_set_again(copy):
    links = named(copy, address.current() or address.UNSET)
    assert address.write("ada/sparse-course", copy)
    assert address.current(copy) == "ada/sparse-course"
    assert named(copy, "ada/sparse-course") >= links
    assert address.write("ada/sparse-course", copy) == []
    address.write("Lovelace-2/sparse.course", copy)
    assert address.current(copy) == "Lovelace-2/sparse.course"
    assert named(copy, "Lovelace-2/sparse.course") >= links
    texts = "".join(path.read_text(encoding="utf-8") for path in address.places(copy))
    assert "ada/sparse-course" not in texts  # with a hyphen, so that no picture can hold it by chance
    assert address.UNSET not in texts
    assert "https://lovelace-2.github.io/sparse.course/" in texts
    for path in lessons.paths(copy):  # the setup cell works as it stands, and nothing else of the lesson has changed
        then, now = lessons.read(lessons.NOTEBOOKS / path.name), lessons.read(path)
        changed = [c for c, d in zip(now.cells, then.cells, strict=True) if c != d]
        assert [lessons.tags(cell) for cell in changed] == [{"setup", "hide-input"}]
        assert 'COURSE = "Lovelace-2/sparse.course"  # the' in changed[0].source


def test_setting_it_changes_only_what_names_it(copy):
    """Line for line: what differs afterwards held the address, or is a badge."""
    before = {path: path.read_text(encoding="utf-8").splitlines() for path in address.places(copy)}
    for path in address.write("ada/course", copy):
        text = path.read_text(encoding="utf-8").splitlines()
        if path.name != "README.md":
            pairs = [(a, b) for a, b in zip(before[path], text, strict=True) if a != b]
            assert all("ada/course" in new for _, new in pairs)
            names = [address.UNSET, "COURSE = ", *filter(None, [address.current()])]
            assert all(any(name in old for name in names) for old, _ in pairs)


@pytest.mark.parametrize(
    ("bad", "meant"),
    [
        ("", ""),
        ("course", ""),
        ("a/b/c", "did you mean a/b"),
        ("ada/", ""),
        ("/course", ""),
        ("-ada/course", ""),
        ("ada-/course", ""),
        ("ada/..", ""),
        ("ada/cou rse", ""),
        ('ada/co"urse', ""),
        ("ada/course.git", r"did you mean ada/course\?"),
        ("https://github.com/ada/course", r"did you mean ada/course\?"),
        ("git@github.com:ada/course.git", r"did you mean ada/course\?"),
        ("https://github.com/ada/course/tree/main", r"did you mean ada/course\?"),
        ("a" * 40 + "/course", ""),
    ],
)
def test_a_malformed_address_changes_nothing(copy, bad, meant):
    before = {path: path.read_bytes() for path in address.places(copy)}
    with pytest.raises(ValueError, match=f"written owner/name, got .*{meant}"):
        address.write(bad, copy)
    assert {path: path.read_bytes() for path in address.places(copy)} == before


def test_lessons_that_disagree_are_found(copy):
    address.write("ada/course", copy)
    lesson = lessons.paths(copy)[3]
    lesson.write_text(lesson.read_text(encoding="utf-8").replace("ada/course", "eve/course"), encoding="utf-8")
    with pytest.raises(ValueError, match="different addresses: ada/course, eve/course"):
        address.current(copy)
    address.write("ada/new", copy)  # as the message says
    assert address.current(copy) == "ada/new"


def test_the_citation_is_well_formed():
    citation = yaml.safe_load((lessons.ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "version"} <= set(citation)
    assert citation["title"] in (lessons.ROOT / "README.md").read_text(encoding="utf-8")
    assert citation["repository-code"] == f"https://github.com/{address.current() or address.UNSET}"

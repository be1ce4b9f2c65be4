"""The web site, read as files: built once as it is, once with an address."""

import os
import re
import subprocess
import sys
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from bs4 import BeautifulSoup
from PIL import Image

from tools import lessons

SITE = lessons.ROOT / "site"
ADDRESS = "someone/some-course"
LESSONS = [f"notebooks/{path.stem}.html" for path in lessons.paths()]
TEXTS = [
    path.relative_to(lessons.ROOT).with_suffix(".html").as_posix()
    for pattern in ("CONTRIBUTING.md", "docs/*.md", "data/*/README.md", "workshop/**/*.md")
    for path in sorted(lessons.ROOT.glob(pattern))
]
PAGES = ["index.html", "search.html", *LESSONS, *TEXTS]


def parsed(folder):
    """The pages of a site, by their path."""
    return {
        path.relative_to(folder).as_posix(): BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in folder.rglob("*.html")
        if "_static" not in path.parts
    }


@pytest.fixture(scope="module")
def folder(built):
    return built("")


@pytest.fixture(scope="module")
def pages(folder):
    """The site without an address."""
    return parsed(folder)


@pytest.fixture(scope="module")
def addressed_folder(built):
    return built(ADDRESS)


@pytest.fixture(scope="module")
def addressed(addressed_folder):
    """The site of a course that has an address."""
    return parsed(addressed_folder)


def links(page):
    """All addresses on a page."""
    return {element[name] for name in ("href", "src") for element in page.find_all(attrs={name: True})}


# ------------------------------------------------------------------------------------------------------------ pages


def test_every_lesson_and_text_is_a_page(pages):
    assert set(pages) == set(PAGES)


def test_every_page_has_a_title_and_a_description_of_its_own(pages):
    titles = {name: page.title.text for name, page in pages.items()}
    assert len(set(titles.values())) == len(titles), titles
    for name in PAGES:
        if name != "search.html":
            assert len(pages[name].find("meta", attrs={"name": "description"})["content"]) > 40, name
            assert pages[name].find("meta", property="og:title")["content"], name


def test_every_page_is_in_the_table_of_contents(pages):
    listed = {urldefrag(link["href"]).url for link in pages["index.html"].select(".bd-sidebar-primary nav a")}
    assert listed >= {*LESSONS, *TEXTS}


@pytest.mark.parametrize("address", ["", ADDRESS])
def test_links_inside_the_site_lead_somewhere(built, address):
    root = built(address).resolve()
    pages = parsed(root)
    anchors = {(root / name): {element["id"] for element in page.select("[id]")} for name, page in pages.items()}
    broken = []
    for name, page in pages.items():
        for link in links(page):
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (root / name).parent.joinpath(unquote(parts.path)).resolve() if parts.path else root / name
            if not target.is_file() or (parts.fragment and unquote(parts.fragment) not in anchors[target]):
                broken.append(f"{name}: {link}")
    assert not broken


def test_nothing_is_loaded_from_another_host(pages, folder):
    for name, page in pages.items():
        loaded = page.select("script[src], img[src], link[rel=stylesheet], link[rel=preload], link[rel=icon], iframe")
        outside = [str(element) for element in loaded if urlsplit(element.get("src") or element.get("href")).netloc]
        assert not outside, name
    for style in folder.rglob("*.css"):
        assert not re.search(r"(url\(|@import\s)\s*[\"']?(https?:)?//", style.read_text(encoding="utf-8")), style


# --------------------------------------------------------------------------------------------------------- contents


@pytest.mark.parametrize("path", lessons.paths(), ids=lambda path: path.name[:2])
def test_a_lesson_shows_its_saved_outputs(pages, folder, path):
    name = f"notebooks/{path.stem}.html"
    outputs = [output for cell in lessons.read(path).cells for output in cell.get("outputs", [])]
    text = pages[name].get_text()
    for output in outputs:
        if output.output_type == "stream":
            assert output.text.strip() in text
    saved = [BeautifulSoup(output.data["text/html"], "html.parser") for output in outputs if "data" in output]
    saved = [html.img for html in saved if html.img]
    shown = pages[name].select(".cell_output img")
    assert [image["alt"] for image in shown] == [image["alt"] for image in saved]
    for image in shown:
        with Image.open((folder / name).parent / image["src"]) as picture:
            across, down = picture.size
        assert abs(across - 2 * int(image["width"])) <= 1, "a figure has two pixels for each that is shown"
        assert abs(down - 2 * int(image["height"])) <= 1
        assert "max-width: 100%" in image["style"]


@pytest.mark.parametrize("path", lessons.paths(), ids=lambda path: path.name[:2])
def test_a_panel_is_explained_and_the_setup_is_folded(pages, path):
    page = pages[f"notebooks/{path.stem}.html"]
    panels = [cell for cell in lessons.read(path).cells if "panel" in lessons.tags(cell)]
    assert panels
    assert len(page.select(".cell.tag_panel .panel-note")) == len(panels)
    (setup,) = page.select(".cell.tag_setup")
    assert setup.details
    assert "open" not in setup.details.attrs
    assert "COURSE" in setup.details.pre.text
    assert "Setup" in setup.summary.text
    assert "aria-label" not in setup.summary.attrs


def test_the_landing_page_maps_the_course(pages):
    cards = pages["index.html"].select(".course-map li")
    for card, path in zip(cards, lessons.paths(), strict=True):
        notebook = lessons.read(path)
        assert card.a["href"] == f"notebooks/{path.stem}.html"
        assert card.em.text == f"{lessons.minutes(notebook)} min"
        assert card.a.text == lessons.title(notebook).translate(str.maketrans('"', "”")).replace("”", "“", 1)


def test_the_landing_page_shows_a_panel_with_words_for_it(pages):
    picture = pages["index.html"].select_one(".bd-article img")
    assert len(picture["alt"]) > 40
    assert picture["src"] in {link.removeprefix("../") for link in links(pages[LESSONS[-1]])}


# ---------------------------------------------------------------------------------------------------------- address


def test_without_an_address_nothing_can_be_launched(pages):
    for name, page in pages.items():
        hosts = {urlsplit(link).netloc for link in links(page)}
        assert not hosts & {"colab.research.google.com", "mybinder.org"}, name
        assert not page.select("link[rel=canonical], .dropdown-launch-buttons, .dropdown-source-buttons"), name


def test_with_an_address_each_lesson_can_be_launched_and_edited(addressed):
    for name in LESSONS:
        notebook = name.replace(".html", ".ipynb")
        assert links(addressed[name]) >= {
            f"https://colab.research.google.com/github/{ADDRESS}/blob/main/{notebook}",
            f"https://mybinder.org/v2/gh/{ADDRESS}/main?urlpath=lab/tree/{notebook}",
            f"https://github.com/{ADDRESS}",
            f"https://github.com/{ADDRESS}/edit/main/{notebook}",
        }, name
        assert any(link.startswith(f"https://github.com/{ADDRESS}/issues/new") for link in links(addressed[name])), name


def test_with_an_address_the_landing_page_launches_the_first_lesson_and_is_edited_in_its_template(addressed):
    found = links(addressed["index.html"])
    assert f"https://colab.research.google.com/github/{ADDRESS}/blob/main/notebooks/{lessons.paths()[0].name}" in found
    assert f"https://github.com/{ADDRESS}/edit/main/site/index.md.jinja" in found
    assert f"https://github.com/{ADDRESS}/edit/main/index.md" not in found


def test_with_an_address_pages_and_sitemap_name_the_public_site(addressed, addressed_folder):
    public = "https://someone.github.io/some-course/"
    listed = set(re.findall(r"<loc>(.+?)</loc>", (addressed_folder / "sitemap.xml").read_text(encoding="utf-8")))
    assert listed == {public + name for name in PAGES if name != "search.html"}
    for name in (*LESSONS, *TEXTS):
        assert addressed[name].find("link", rel="canonical")["href"] == public + name
        assert addressed[name].find("meta", property="og:url")["content"] == public + name


def test_a_malformed_address_is_refused(tmp_path):
    command = [sys.executable, str(SITE / "build.py"), "--output", str(tmp_path / "site"), "--address", "no slash"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "owner/name" in done.stderr
    assert not (tmp_path / "site").exists()


def article(tmp_path, markdown, address):
    """The text of a page written in Markdown, under the site's settings, and what Sphinx had to say."""
    source = tmp_path / "docs"
    source.mkdir()
    (source / "page.md").write_text(f"# A page\n\n{markdown}\n", encoding="utf-8")
    (tmp_path / "index.md").write_text("# Home\n\n## Two commands\n\n```{toctree}\ndocs/page\n```\n", encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", "-c", str(SITE), str(tmp_path)]
    done = subprocess.run(
        [*command, str(tmp_path / "built")],
        cwd=SITE,  # where Python then finds transforms.py
        env={**os.environ, "COURSE_ADDRESS": address},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return None, done.stderr
    page = BeautifulSoup((tmp_path / "built" / "docs" / "page.html").read_text(encoding="utf-8"), "html.parser")
    return page.select_one("article section"), done.stderr


REPOSITORY_LINKS = (
    "[LICENSE](../LICENSE), [the script](../data/celegans/build.py), [`data/celegans`](../data/celegans/), "
    "[the start](../README.md#two-commands)"
)


def test_links_to_files_that_are_no_pages_go_to_the_repository(tmp_path):
    page, _ = article(tmp_path, REPOSITORY_LINKS, ADDRESS)
    assert [link["href"] for link in page.select("p a")] == [
        f"https://github.com/{ADDRESS}/blob/main/LICENSE",
        f"https://github.com/{ADDRESS}/blob/main/data/celegans/build.py",
        f"https://github.com/{ADDRESS}/tree/main/data/celegans",
        "../index.html#two-commands",
    ]


def test_without_an_address_links_to_files_that_are_no_pages_are_words(tmp_path):
    page, _ = article(tmp_path, REPOSITORY_LINKS, "")
    assert page.p.text == "LICENSE, the script (data/celegans/build.py), data/celegans, the start"
    assert [link["href"] for link in page.select("p a")] == ["../index.html#two-commands"]


def test_a_link_to_nothing_stops_the_build(tmp_path):
    page, warnings = article(tmp_path, "[a file](../no_such_file.txt)", "")
    assert page is None
    assert "no_such_file.txt" in warnings


def test_the_workflow_is_valid():
    workflow = lessons.ROOT / ".github" / "workflows" / "site.yml"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(workflow)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout

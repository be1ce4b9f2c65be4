"""Build the course as a web site: python site/build.py [--output FOLDER] [--address OWNER/NAME] [--still]

The pages are the repository's own files. They are copied into a temporary folder in their places, so that the links
between them hold, and the landing page is written beside them. The rest is Sphinx; conf.py holds its settings.
"""

import argparse
import base64
import concurrent.futures
import io
import itertools
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import jinja2
import nbformat
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont
from sphinx.cmd.build import build_main

from tools import address, lessons
from tools.lessons import ROOT

SITE = ROOT / "site"
SECTIONS = {  # the site's table of contents: files that become pages, in their order
    "Lessons": ("notebooks/[0-9][0-9]_*.ipynb",),
    "Teaching": ("workshop/README.md", "workshop/*.md", "workshop/hub/*.md", "workshop/forms/*.md"),
    "Behind the course": ("CONTRIBUTING.md", "docs/*.md", "data/*/README.md", "NOTICE.md"),
}
COMMANDS = "## Two commands"  # the README's section that says how to start


def pages(section):
    """The files of one section of the site, as paths from the repository's root."""
    found = [path.relative_to(ROOT).as_posix() for pattern in SECTIONS[section] for path in sorted(ROOT.glob(pattern))]
    return list(dict.fromkeys(found))


def commands():
    """The README's section that says how to start, with its heading.

    Raises:
        ValueError: the README has no such section.
    """
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"^{COMMANDS}\n.*?(?=^## )", readme, re.MULTILINE | re.DOTALL)
    if not found:
        raise ValueError(f"The landing page shows the README's section {COMMANDS!r}, and the README has none.")
    return found[0]


def course_map():
    """The notebooks in their order: a dictionary for each, with its title, path, minutes and first goal."""
    found = []
    for path in lessons.pages():
        notebook = lessons.read(path)
        found.append(
            {
                "title": lessons.title(notebook),
                "path": path.relative_to(ROOT).as_posix(),
                "minutes": lessons.minutes(notebook),
                "goal": lessons.goals(notebook)[0].rstrip(",."),
            }
        )
    return found


def still(notebook):
    """The picture of a lesson's panel at fixed settings, as HTML: the last figure of the cell below the panel."""
    panel = next(index for index, cell in enumerate(notebook.cells) if "panel" in lessons.tags(cell))
    return [figure for output in notebook.cells[panel + 1].outputs if (figure := lessons.figure(output))][-1]


def add_html(path):
    """Give each figure of a lesson that is saved as PNG its form as HTML too, which the site prefers."""
    notebook = lessons.read(path)
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        if figure := lessons.figure(output):
            output.data["text/html"] = figure
    nbformat.write(notebook, path)


def stage(folder, course):
    """Copy every page to its place in a folder, and write the landing page."""
    sections = {section: pages(section) for section in SECTIONS}
    for page in itertools.chain(*sections.values()):
        target = folder / page
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / page, target)
        if target.suffix == ".ipynb":
            add_html(target)
    mapped = course_map()
    template = jinja2.Template((SITE / "index.md.jinja").read_text(encoding="utf-8"), undefined=jinja2.StrictUndefined)
    landing = template.render(
        address=course,
        lessons=mapped,
        hours=[round(sum(column) / 60) for column in zip(*(page["minutes"] for page in mapped[:-1]), strict=True)],
        picture=still(lessons.read(lessons.paths()[-1])),
        commands=commands(),
        sections=sections,
    )
    (folder / "index.md").write_text(landing, encoding="utf-8")


def draw_panels(folder):
    """Draw the panels of all lessons, side by side: for each a file of HTML and a script in ``panels/``."""
    import panels  # here, because it takes seconds and a still site needs none of it

    print("The panels are drawn, which takes a minute.", flush=True)
    (folder / "panels").mkdir()
    paths = sorted(lessons.paths(), key=lambda path: path.name[:2] not in panels.DRAWN)  # what takes long comes first
    # processes of their own: torch's threads don't survive a fork
    with concurrent.futures.ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as workers:
        for path, drawn in zip(paths, workers.map(panels.draw, [path.name[:2] for path in paths]), strict=True):
            for text, suffix in zip(drawn, (".html", ".js"), strict=True):
                (folder / "panels" / path.name).with_suffix(suffix).write_text(text, encoding="utf-8")


def preview():
    """The picture that other sites show beside a link to the course: its name above the drive of the last lesson."""
    data = re.search('base64,([^"]+)', still(lessons.read(lessons.paths()[-1])))[1]
    drive = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
    drive.thumbnail((1100, 470))
    card = Image.new("RGB", (1200, 630), "white")  # what these sites ask for
    card.paste(drive, ((card.width - drive.width) // 2, card.height - drive.height - 15))
    pen = ImageDraw.Draw(card)
    face = font_manager.findfont("DejaVu Sans")  # matplotlib brings it
    for height, words, size in ((18, "Sparse Neural Networks", 64), (96, "from y = Wx to the worm", 36)):
        font = ImageFont.truetype(face, size)
        pen.text((card.width / 2, height), words, fill="#005f94", font=font, anchor="ma")
    return card.quantize()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "site")
    parser.add_argument("--address", default=address.current(), help="owner/name on GitHub; '' for none")
    parser.add_argument("--still", action="store_true", help="draw no panels: none moves")
    arguments = parser.parse_args()
    if arguments.address:
        try:
            address.check(arguments.address)
        except ValueError as error:
            parser.error(str(error))
    os.environ["COURSE_ADDRESS"] = arguments.address  # read by conf.py
    if (arguments.output / ".buildinfo").exists():  # an earlier site, and no other folder
        shutil.rmtree(arguments.output)
    with tempfile.TemporaryDirectory() as folder:
        source, doctrees = Path(folder, "source"), Path(folder, "doctrees")
        stage(source, arguments.address)
        if not arguments.still:
            draw_panels(source)
        options = ["--quiet", "--fail-on-warning", "--keep-going", "--builder", "html", "--conf-dir", str(SITE)]
        failed = build_main([*options, "--doctree-dir", str(doctrees), str(source), str(arguments.output)])
    if not failed:
        preview().save(arguments.output / "_static" / "preview.png", optimize=True)
        print(f"The site is built: open {arguments.output / 'index.html'}")
    sys.exit(failed)


if __name__ == "__main__":
    main()

"""What makes pages of HTML for slides and answer book: markdown, templates, and the files beside a page."""

import importlib.metadata
import re
import shutil

import jinja2
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from tools.lessons import ROOT

TEMPLATES = ROOT / "workshop" / "templates"
BUILD = ROOT / "build"

# What a page needs beyond its own text: {name there: (distribution that carries it, path inside)}.
REVEAL = {
    name: ("sphinx-revealjs", f"sphinx_revealjs/_static/revealjs/{path}")
    for name, path in {
        "reset.css": "dist/reset.css",
        "reveal.css": "dist/reveal.css",
        "reveal.js": "dist/reveal.js",
        "notes.js": "plugin/notes/notes.js",
        "reveal-LICENSE": "LICENSE",
    }.items()
}
MATHJAX = {"tex-svg.js": ("sphinx-mathjax-offline", "sphinx-mathjax-offline/static/mathjax/tex-svg.js")}


def html(markdown):
    """Markdown as HTML, code in colours, maths left for MathJax. Links to notebooks become their text."""
    plain = re.sub(r"\[([^\]]+)\]\([^)]+\.(?:ipynb|md)\)", r"\1", markdown)
    return markdown2html_mistune(plain)


def inline(markdown):
    """One line of markdown as HTML without the paragraph around it."""
    return re.sub(r"^<p>(.*)</p>$", r"\1", html(markdown).strip(), flags=re.DOTALL)


def template(name):
    """A page to fill in; what it is given is HTML already."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def write(path, text):
    """Write a page, and say so."""
    path.write_text(text, encoding="utf-8", newline="\n")
    tell(path)


def tell(path):
    """Say that a file is written: its place in the course's folder, or its whole path elsewhere."""
    print(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path, flush=True)


def copy_assets(folder, packaged, own):
    """Put scripts and styles beside the pages, so that no page asks another host for anything.

    Args:
        folder: where to.
        packaged: {name: (distribution, path inside)}, such as REVEAL.
        own: names of files of our own, from templates/.

    Raises:
        SystemExit: a package that carries the files is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, (distribution, path) in packaged.items():
        try:
            source = importlib.metadata.distribution(distribution).locate_file(path)
        except importlib.metadata.PackageNotFoundError:
            raise SystemExit(
                f"{distribution} is not installed; it carries {name}. `make slides` and `make answers` install it, "
                'or do it by hand: python -m pip install -c constraints.txt -e ".[workshop]"'
            ) from None
        shutil.copyfile(source, folder / name)
    for name in own:
        shutil.copyfile(TEMPLATES / name, folder / name)

"""What the site changes in a page between reading and writing it, as a Sphinx extension."""

import base64
import hashlib
import posixpath
import re
import struct
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref, toctree
from sphinx.util.osutil import relative_uri

from tools.lessons import DEEPER

ROOT = Path(__file__).resolve().parent.parent
FIGURE = re.compile(
    r'<img (?P<alt>[^>]*)width="(?P<width>\d+)"(?P<between>[^>]*) src="data:image/png;base64,(?P<data>[^"]+)">'
)


def link_repository_files(app, doctree):
    """Send links to files that are no pages to the repository, or make them text while it has no address.

    The README is the landing page. A link to nothing stays, and Sphinx warns of it.
    """
    folder = posixpath.dirname(app.env.docname)
    for link in list(doctree.findall(pending_xref)):
        target, _, anchor = link["reftarget"].partition("#")
        path = posixpath.normpath(posixpath.join(folder, target))
        if link["refdomain"] or link["reftype"] != "myst" or not (ROOT / path).exists():
            continue
        if path == "README.md":
            link.attributes |= {"refdomain": "doc", "reftarget": app.config.root_doc, "reftargetid": anchor or None}
        else:
            link.replace_self(repository_link(app.config.course_address, path, link.children))


def repository_link(address, path, words):
    """Nodes for a file or folder of the repository: a link, or the words and the path while there is no address."""
    if address:
        kind = "tree" if (ROOT / path).is_dir() else "blob"
        return nodes.reference("", "", *words, refuri=f"https://github.com/{address}/{kind}/main/{path}")
    if path in "".join(word.astext() for word in words):
        return words
    return [*words, nodes.Text(" ("), nodes.literal("", path), nodes.Text(")")]


def add_panels(app, doctree):
    """Put a lesson's panel below its code, and for those whom it doesn't reach a note that it moves elsewhere.

    Where the panels were drawn, ``panels/`` holds each as HTML, and its pictures as a script.
    """
    drawn = Path(app.srcdir, "panels", posixpath.basename(app.env.docname))
    for cell in doctree.findall(nodes.container):
        if "tag_panel" not in cell["classes"]:
            continue
        if drawn.with_suffix(".html").exists():
            frames = drawn.with_suffix(".js").read_bytes()
            name = f"{hashlib.sha256(frames).hexdigest()[:16]}.js"
            folder = Path(app.outdir, "_static", "panels")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(frames)
            panel = drawn.with_suffix(".html").read_text(encoding="utf-8").replace("FRAMES", name)
            cell += nodes.raw("", panel, format="html")
        words = "This panel moves in JupyterLab, Colab or Binder. The page shows it below, at fixed settings."
        cell += nodes.paragraph("", words, classes=["panel-note"])


def lead_to_where_exercises_run(app, doctree):
    """Say below an exercise's code where it can be tried."""
    name, address = app.env.docname, app.config.course_address
    places = {"on your machine": relative_uri(app.builder.get_target_uri(name), "index.html") + "#two-commands"}
    if address:
        places |= {
            "in Colab": f"https://colab.research.google.com/github/{address}/blob/main/{name}.ipynb",
            "in Binder": f"https://mybinder.org/v2/gh/{address}/main?urlpath=lab/tree/{name}.ipynb",
        }
    for cell in doctree.findall(nodes.container):
        if "tag_exercise" in cell["classes"]:
            line = nodes.paragraph("", "To try it and have it checked, open this lesson", classes=["way-in"])
            for between, (words, uri) in zip((" ", ", ", " or "), places.items(), strict=False):
                line += [nodes.Text(between), nodes.reference("", words, refuri=uri)]
            line += nodes.Text(".")
            cell += line


def mark_what_is_deeper(app, doctree):
    """Give a section that can be left out a class of its own."""
    for section in doctree.findall(nodes.section):
        if section.next_node(nodes.title).astext().startswith(DEEPER):
            section["classes"].append("deeper")


def let_formulas_scroll(app, doctree):
    """Give wide formulas the class of wide tables, which the theme lets scroll, from the keyboard too."""
    for formula in doctree.findall(nodes.math_block):
        formula["classes"].append("pst-scrollable-table-container")


def figures_as_files(app, doctree):
    """Move figures out of the page into files, each in a box that it can scroll in.

    They arrive when they come near, and their heights are told, so that nothing jumps then.
    """
    folder = Path(app.outdir, app.builder.imagedir)
    page = app.builder.get_target_uri(app.env.docname)

    def as_file(figure):
        png = base64.b64decode(figure["data"])
        name = f"{hashlib.sha256(png).hexdigest()[:16]}.png"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png)
        pixels_across, pixels_down = struct.unpack(">II", png[16:24])  # where a PNG file says its size
        height = round(int(figure["width"]) * pixels_down / pixels_across)
        address = relative_uri(page, f"{app.builder.imagedir}/{name}")
        size = f'width="{figure["width"]}" height="{height}" loading="lazy"'
        return f'<div class="course-figure"><img {figure["alt"]}{size}{figure["between"]} src="{address}"></div>'

    for raw in doctree.findall(nodes.raw):
        raw.children = [nodes.Text(FIGURE.sub(as_file, raw.astext()))]


def name_toggles(app, pagename, templatename, context, doctree):
    """Take from folded cells the label that hides their own words from speech."""
    if doctree:
        context["body"] = context["body"].replace(' aria-label="Toggle hidden content"', "")


def load_the_script_of_panels(app, pagename, templatename, context, doctree):
    """Load what moves panels on the pages that have one."""
    if doctree and 'class="panel"' in context["body"]:
        app.add_js_file("panels.js", loading_method="defer")


def stay_in_the_section(app, pagename, templatename, context, doctree):
    """Let "previous" and "next" lead to the pages of the same section, and to the landing page.

    After the last lesson would come the instructor's guide, which is for other readers.
    """
    root = app.config.root_doc
    sections = [table["includefiles"] for table in app.env.get_doctree(root).findall(toctree)]
    section = next((pages for pages in sections if pagename in pages), None)
    _, *beside = app.builder.relations.get(pagename, (None, None, None))
    for way, other in zip(("prev", "next"), beside, strict=True):
        if section and other not in (root, *section):
            context[way] = None


def edit_the_template(app, pagename, templatename, context, doctree):
    """Let the landing page's edit button lead to the template that it is written from."""
    if pagename == app.config.root_doc:
        context |= {"doc_path": "site", "page_source_suffix": ".md.jinja"}


def setup(app):
    app.add_config_value("course_address", "", "env", types=[str])
    app.add_css_file("reader.css")
    app.add_js_file("reader.js", loading_method="defer")
    app.connect("doctree-read", link_repository_files)
    app.connect("doctree-read", add_panels)
    app.connect("doctree-read", lead_to_where_exercises_run)
    app.connect("doctree-read", mark_what_is_deeper)
    app.connect("doctree-read", let_formulas_scroll)
    app.connect("doctree-read", figures_as_files)
    app.connect("html-page-context", name_toggles)
    app.connect("html-page-context", load_the_script_of_panels)
    app.connect("html-page-context", stay_in_the_section)
    app.connect("html-page-context", edit_the_template)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Settings of the site, for Sphinx. It runs within build.py, so Python finds what lies in their folder."""

import importlib.util
import os
from pathlib import Path

course_address = os.environ["COURSE_ADDRESS"]  # owner/name, or "" while the course has none
OWNER, _, NAME = course_address.partition("/")
PUBLIC = f"https://{OWNER.lower()}.github.io/{NAME}/" if course_address else ""

project = "Sparse Neural Networks"
html_title = "Sparse Neural Networks, from y = Wx to the worm"
language = "en"
extensions = ["myst_nb", "sphinx.ext.mathjax", "sphinxext.opengraph", "transforms"]

# The notebooks are shown with the outputs that they are committed with. No widget is saved: no widget code is loaded.
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js = {}
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_heading_anchors = 4
myst_enable_extensions = ["dollarmath"]
# Exercises are headings of level 4 wherever they stand. They come out one level below what is above them.
suppress_warnings = ["myst.header"]

# One file of MathJax, our own copy. Its menu would load more files, so there is none.
MATHJAX = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
mathjax_path = "tex-svg.js"
mathjax3_config = {"options": {"enableMenu": False}}

html_theme = "sphinx_book_theme"
html_static_path = ["static", str(MATHJAX / mathjax_path)]
templates_path = ["templates"]
html_css_files = ["course.css"]
html_js_files = [("fit.js", {"defer": "defer"})]
html_extra_path = ["../LICENSE-CC-BY-4.0.txt"]
html_favicon = "static/favicon.svg"
html_context = {"default_mode": "auto"}
html_use_index = False
html_theme_options = {
    "logo": {"image_light": "static/favicon.svg", "image_dark": "static/favicon.svg", "text": project, "alt_text": ""},
    "navbar_persistent": [],
    "search_as_you_type": True,
    "search_bar_text": "Search the course",
    "show_toc_level": 2,
    "use_fullscreen_button": False,
    "footer_content_items": ["licences.html"],
}

ogp_site_name = html_title
ogp_site_url = PUBLIC
ogp_social_cards = {"enable": False}

if course_address:
    html_baseurl = PUBLIC
    ogp_image = "_static/preview.png"  # written by build.py
    ogp_image_alt = (
        "Sparse Neural Networks, from y = Wx to the worm. A car on a winding road, the line of pixels that its camera "
        "sees, and the circuit that steers it."
    )
    ogp_custom_meta_tags = [
        '<meta property="og:image:width" content="1200" />',
        '<meta property="og:image:height" content="630" />',
        '<meta name="twitter:card" content="summary_large_image" />',
    ]
    extensions += ["sphinx_sitemap"]
    sitemap_url_scheme = "{link}"
    sitemap_excludes = ["search.html"]
    html_theme_options |= {
        "repository_url": f"https://github.com/{course_address}",
        "repository_branch": "main",
        "use_repository_button": True,
        "use_issues_button": True,
        "use_edit_page_button": True,
        "launch_buttons": {
            "notebook_interface": "jupyterlab",
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
        },
    }

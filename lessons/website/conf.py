"""Sphinx's settings for the site of the lessons; `python -m website` writes what it reads."""

from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import nbformat
from docutils import nodes

project = html_title = "armlab"
extensions = ["myst_nb", "sphinx.ext.autodoc"]

nb_execution_mode = "off"  # the notebooks come with their outputs
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath"]
mathjax_path = "mathjax/tex-svg.js"  # from a package: the site asks for nothing elsewhere
mathjax3_config = {"options": {"enableMenu": False}}
autodoc_typehints = "none"  # shapes stand in the docstring, types in the source
autodoc_default_options = {"members": True, "member-order": "bysource", "ignore-module-all": True}

add_module_names = False
html_theme = "furo"
pygments_dark_style = "a11y-dark"
html_static_path = ["style.css"]
html_css_files = ["style.css"]
html_show_sourcelink = html_copy_source = html_use_index = html_domain_indices = False
html_show_search_summary = False  # it would be fetched, and a page of file:// may not
html_show_copyright = False


def as_written(app, what, name, of, options, lines):
    """A docstring is plain text whose equations are aligned."""
    if any(lines):
        text = "\n   ".join(lines)
        lines[:] = f".. code-block:: none\n   :class: docstring\n\n   {text}\n".splitlines() + [""]


def with_words(app, doctree):
    """Give each picture of an output the alternative text that stands in the output's metadata."""
    path = Path(app.env.doc2path(app.env.docname))
    if path.suffix != ".ipynb":
        return
    cells = nbformat.read(path, 4).cells
    words = {
        sha256(b64decode(output.data["image/png"])).hexdigest(): output.metadata["image/png"]["alt"]
        for cell in cells
        for output in cell.get("outputs", [])
        if "alt" in output.get("metadata", {}).get("image/png", {})
    }
    for image in doctree.findall(nodes.image):
        image["alt"] = words.get(Path(image["uri"]).stem, image.get("alt", ""))


def with_rows(app, doctree):
    """Leave a formula as it stands: in the split that Sphinx puts around rows no tag is allowed."""
    for formula in doctree.findall(nodes.math_block):
        formula["classes"].append("amsmath")


def setup(app):
    app.connect("autodoc-process-docstring", as_written)
    app.connect("doctree-read", with_words)
    app.connect("doctree-read", with_rows)

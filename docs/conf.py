"""Sphinx settings: `make docs` builds the site into docs/_build, with warnings as errors."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from emobench import __version__

project = "emobench"
release = version = __version__
project_copyright = "the authors of emobench, MIT licence"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]

exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "emobench"
html_copy_source = False
html_show_sphinx = False

myst_heading_anchors = 3
default_role = "literal"  # docstrings and help texts put code between single backquotes

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Call arguments", "params_style")]

# Every reference must lead somewhere, but for the types of other packages.
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(?!emobench\.).*"),
    ("py:class", r"emobench\.bundles\.folder\.Opened"),
]

"""How Sphinx shows the course; `tools/website.py` lays out what it reads and starts it."""

import inspect
import re
from importlib import metadata

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging
from sphinx.util.inspect import stringify_signature
from sphinx.util.nodes import make_refnode

from rnn_course import layers

project = "rnn_course"
author = "the rnn_course authors"
copyright = "the rnn_course authors"
release = metadata.version("rnn-course")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["README.md"]

# Lessons: the outputs that are in the notebooks.
nb_execution_mode = "off"
nb_ipywidgets_js = {}
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

# Reference.
smartquotes_action = "D"  # dashes; quotes stay as they are in code
default_role = "literal"
autodoc_default_options = {"member-order": "bysource"}
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
napoleon_custom_sections = [("Attributes", "params_style")]
add_module_names = False
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

html_theme = "sphinx_book_theme"
html_title = "rnn_course"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {"navbar_persistent": [], "use_fullscreen_button": False, "show_toc_level": 2}
html_context = {"default_mode": "light"}
html_show_copyright = False


def show_math(self, node):
    """Write a formula as MathML, which browsers draw by themselves."""
    block = isinstance(node, nodes.math_block)
    formula = node.astext().replace(r"\dots", r"\ldots")
    try:
        written = tex2mathml(formula, as_block=block)
    except MathError as error:
        logging.getLogger(__name__).warning("no MathML for %r: %s", formula, error, location=node)
        written = f"<code>{self.encode(formula)}</code>"
    self.body.append(f'<div class="math">{written}</div>' if block else written)
    raise nodes.SkipNode


def show_inputs_and_outputs(app, what, name, obj, options, lines):
    """Set "Input: …" and "Output: …" of a model apart, each on a line of its own."""
    lines[:] = [re.sub(r"^(Input|Output): +", r":\1: ", line) for line in lines]


def skip_bare_fields(app, what, name, obj, skip, options):
    """Leave out the fields of a named tuple, of which Python says "Alias for field number 0"."""
    return True if (getattr(obj, "__doc__", None) or "").startswith("Alias for field number") else None


def show_own_arguments(app, what, name, obj, options, signature, returns):
    """Give a Keras layer the arguments of its `__init__`; Keras shows `*args, **kwargs`."""
    if what != "class" or signature != "(*args, **kwargs)":
        return None
    own = inspect.signature(obj.__init__)
    return stringify_signature(own.replace(parameters=list(own.parameters.values())[1:])), returns


def keep_layout(app, doctree):
    """Show what is indented in a docstring, such as a small table, as it stands there."""
    if app.env.docname.startswith("reference/"):
        for quote in list(doctree.findall(nodes.block_quote)):
            text = "\n\n".join(part.rawsource for part in quote)
            quote.replace_self(nodes.literal_block(text, text, language="none"))


def link_names(app, doctree, docname):
    """Link code in running text, of a lesson or of a docstring, to what it names in the reference."""
    entries = app.env.domains.python_domain.objects
    found = {}
    for full in entries:
        found.setdefault(full.rpartition(".")[2], []).append(full)
    for literal in list(doctree.findall(nodes.literal)):
        name = literal.astext().removesuffix("()")
        meant = [full for full in found.get(name.rpartition(".")[2], []) if f".{full}".endswith(f".{name}")]
        here = f"rnn_course.{docname.rpartition('/')[2]}.{name}"
        full = here if here in entries else meant[0] if len(meant) == 1 else None
        linked = full == here or (full and ("." in name or entries[full].objtype in ("function", "class", "exception")))
        if linked and not isinstance(literal.parent, nodes.reference | nodes.title):
            entry = entries[full]
            link = make_refnode(app.builder, docname, entry.docname, entry.node_id, literal.copy(), full)
            link[0] += nodes.Text(literal.astext())
            literal.replace_self(link)


def setup(app):
    """Tell Sphinx about the above."""
    for name in layers.__all__:
        getattr(layers, name).__name__ = name  # Keras takes a fused layer for its own, a reader does not
    app.add_html_math_renderer("mathml", (show_math, None), (show_math, None))
    app.connect("autodoc-process-docstring", show_inputs_and_outputs)
    app.connect("autodoc-skip-member", skip_bare_fields)
    app.connect("autodoc-process-signature", show_own_arguments)
    app.connect("doctree-read", keep_layout)
    app.connect("doctree-resolved", link_names)

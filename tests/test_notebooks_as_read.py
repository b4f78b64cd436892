"""The notebooks as a reader meets them: formulas, pictures, outputs, and how long a lesson says that it runs.

What `tools/notebooks.py check` refuses (warnings, machine paths, notebooks that are too large) is proved in
`test_notebooks.py`, and that every link leads somewhere in `test_house.py`.
"""

import base64
import json
import math
import re
import struct
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PATHS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
every_notebook = pytest.mark.parametrize("name", PATHS)

MINUTES = re.compile(r"Minutes on two CPU cores: (?:about )?(\w+) to run,")
NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def cells_of(name, kind):
    """List the cells of a notebook that are of a kind, with their source as one text."""
    cells = json.loads(PATHS[name].read_text(encoding="utf-8"))["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in cells if cell["cell_type"] == kind]


def outputs_of(name):
    """List {kind: text} of all outputs of a notebook; what was printed is `text/plain`."""
    outputs = [output for cell in cells_of(name, "code") for output in cell["outputs"]]
    bundles = [output.get("data") or {"text/plain": output["text"]} for output in outputs]
    return [{kind: "".join(text) for kind, text in bundle.items()} for bundle in bundles]


# --- formulas ---------------------------------------------------------------------------------------------------------


def unset_formulas(markdown):
    """List what is left of TeX outside of code and of dollars: the reader sees it as it was typed."""
    text = re.sub(r"^```.*?^```|`[^`]+`", "", markdown, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"\$\$.+?\$\$|(?<![\\\w])\$(?!\s)[^$]+?(?<!\s)\$(?!\d)", "", text, flags=re.DOTALL)
    return re.findall(r"(?<!\\)\$|\\[a-zA-Z]{2,}|[\w)][_^]\{", text)


@every_notebook
def test_no_formula_is_left_as_it_was_typed(name):
    found = {cell["source"]: unset_formulas(cell["source"]) for cell in cells_of(name, "markdown")}
    found |= {
        bundle["text/markdown"]: unset_formulas(bundle["text/markdown"])
        for bundle in outputs_of(name)
        if "text/markdown" in bundle
    }
    assert {source: marks for source, marks in found.items() if marks} == {}


@pytest.mark.parametrize(
    ("markdown", "marks"),
    [
        ("The state $h_{t-1}$ and `h_{t-1}`, $$\\tanh(x)$$ and\n```\n$HOME \\alpha\n```", []),
        ("the loop adds h_{t-1} U", ["h_{"]),
        ("the angle \\theta", ["\\theta"]),
        ("one $dollar, and $x$", ["$"]),
        ("$ x $ stays", ["$", "$"]),
        ("it costs \\$5", []),
    ],
)
def test_a_formula_without_its_dollars_is_caught(markdown, marks):
    assert unset_formulas(markdown) == marks


# --- pictures and texts -----------------------------------------------------------------------------------------------


def size_of(png):
    """Read (width, height) of a PNG from its header."""
    return struct.unpack(">II", base64.b64decode(png)[16:24])


@every_notebook
def test_pictures_fit_the_column_and_a_screen(name):
    sizes = [size_of(bundle["image/png"]) for bundle in outputs_of(name) if "image/png" in bundle]
    assert sizes
    assert all(500 <= width <= 900 and 200 <= height <= 900 for width, height in sizes), sizes


def test_a_picture_in_html_has_words_for_those_who_do_not_see_it():
    html = [bundle.get("text/html", "") for name in PATHS for bundle in outputs_of(name)]
    images = [image for text in html for image in re.findall(r"<img\b[^>]*>", text)]
    assert images
    assert [image[:200] for image in images if not re.search(r'\balt="[^"]{10,}"', image)] == []


@every_notebook
def test_no_output_is_longer_than_two_screens(name):
    shown = [bundle["text/plain"] for bundle in outputs_of(name) if set(bundle) == {"text/plain"}]
    assert [text for text in shown if text.count("\n") > 100] == []


@every_notebook
def test_what_is_shown_needs_no_network_and_no_script(name):
    for bundle in outputs_of(name):
        html = bundle.get("text/html", "") + bundle.get("text/markdown", "")
        assert not re.search(r"<script|<iframe|\bon\w+=|(?:src|href)=[\"']?(?:https?:)?//|url\((?!data:)", html)
        assert not any("javascript" in kind or "widget" in kind for kind in bundle)


# --- minutes ----------------------------------------------------------------------------------------------------------


def minutes_said(name):
    """Read from a lesson's first cell how many minutes it says that it runs."""
    return 1 + NUMBERS.index(MINUTES.search(cells_of(name, "markdown")[0]["source"])[1])


@every_notebook
def test_a_lesson_runs_as_long_as_it_says_rounded_up(name):
    measured = json.loads((ROOT / "results" / f"{name}.json").read_text(encoding="utf-8"))["minutes"]
    assert minutes_said(name) == max(1, math.ceil(measured - 0.1))  # 9.04 minutes are nine

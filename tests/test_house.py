"""The rules of the house, read off the source: who may import whom, what a docstring says, what a file may be.

Nothing here imports the package's rooms, so that it answers in seconds and before TensorFlow would have loaded.
"""

import ast
import contextlib
import json
import os
import re
import sys
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "rnn_course"
LONGEST_FILE = 300  # lines of code; what is written about the code does not count
LONGEST_MODEL = 60
LONGEST_FUNCTION = 36  # two ways back through a GRU; half of the others have five lines or fewer


def parse_layers(text):
    """Read the table of CONTRIBUTING.md: {room: ({may import}, {inside functions only})}."""
    table = text.partition("<!-- layers:begin -->")[2].partition("<!-- layers:end -->")[0]
    rows = [[re.findall(r"`([^`]+)`", cell) for cell in line.split("|")[1:4]] for line in table.splitlines()]
    return {room: (set(anywhere), set(inside)) for [room], anywhere, inside in (row for row in rows if row and row[0])}


def name_of(path):
    """Name a file as the table does: `rnn_course/probes/states.py` is `probes.states`."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


LAYERS = parse_layers((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
MODULES = {
    name_of(path): path.read_text(encoding="utf-8")
    for path in sorted(PACKAGE.rglob("*.py"))
    if "shipped" not in path.parts
}
every_module = pytest.mark.parametrize("module", MODULES)


# --- who may import whom ----------------------------------------------------------------------------------------------


def imports_of(tree):
    """Yield (what is imported, whether inside a function) for every import in a syntax tree, wherever it stands."""
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    ]
    inside = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        late = id(node) in inside
        if isinstance(node, ast.Import):
            yield from ((alias.name, late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            yield from ((f"{source}.{alias.name}", late) for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            yield ast.unparse(node), late


def fault_of(target, late, module):
    """Say why a module may not import a target, or return None."""
    if "(" in target:
        return "imports by name at run time"
    if target.startswith("."):
        return "a relative import"
    if target.endswith(".*"):
        return "a star import"
    room = module.partition(".")[0]
    if target.partition(".")[0] in sys.stdlib_module_names or f"{target}.".startswith(f"rnn_course.{room}."):
        return None
    doors = [
        (door, inside) for row in {room, module} & set(LAYERS) for inside in (0, 1) for door in LAYERS[row][inside]
    ]
    fitting = [(door, inside) for door, inside in doors if f"{target}.".startswith(f"{door}.")]
    if not fitting:
        return f"{room} has no door to it"
    _, inside = max(fitting, key=lambda entry: len(entry[0]))  # matplotlib.pyplot before matplotlib
    return "only inside a function" if inside and not late else None


def faults_in(source, module):
    """List what a module's source imports and may not, as `target: why`."""
    found = ((target, fault_of(target, late, module)) for target, late in imports_of(ast.parse(source)))
    return [f"{target}: {fault}" for target, fault in found if fault]


@every_module
def test_no_room_opens_a_door_it_may_not(module):
    assert module.partition(".")[0] in LAYERS, f"the table in CONTRIBUTING.md has no row for {module!r}"
    assert faults_in(MODULES[module], module) == []


@pytest.mark.parametrize("lesson", sorted(path.name for path in (ROOT / "lessons").glob("*.py")))
def test_a_lesson_reads_no_other_lesson(lesson):
    text = (ROOT / "lessons" / lesson).read_text(encoding="utf-8")
    targets = [target for target, _ in imports_of(ast.parse(text))]
    assert not [target for target in targets if target.startswith((".", "lessons")) or "(" in target or "*" in target]
    assert not re.search(r"^\s*(# )?%(run|load)\b|\brunpy\b", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        ("plots.states", "import keras", "keras: plots has no door to it"),
        ("plots.states", "import keras.ops as ops", "keras.ops: plots has no door to it"),
        ("plots.states", "from rnn_course import probes", "rnn_course.probes: plots has no door to it"),
        (
            "plots.states",
            "from rnn_course.probes.states import trace",
            "rnn_course.probes.states.trace: plots has no door",
        ),
        ("plots.states", "def f():\n    import keras", "keras: plots has no door to it"),
        ("plots.states", "try:\n    import keras\nexcept ImportError:\n    pass", "keras: plots has no door to it"),
        ("plots.states", "class A:\n    import keras", "keras: plots has no door to it"),
        ("plots.style", "from matplotlib import pyplot", "matplotlib.pyplot: only inside a function"),
        ("probes.states", "from rnn_course.plots import style", "rnn_course.plots.style: probes has no door to it"),
        ("probes.states", "import tensorflow as tf", "tensorflow: probes has no door to it"),
        ("probes.states", "from sklearn.manifold import TSNE", "sklearn.manifold.TSNE: only inside a function"),
        ("probes.gradients", "def f():\n    import sklearn", "sklearn: probes has no door to it"),
        ("probes.gradients", "from . import states", "..states: a relative import"),
        ("probes.gradients", "from .states import trace", ".states.trace: a relative import"),
        ("probes.gradients", "from numpy import *", "numpy.*: a star import"),
        ("probes.gradients", "import importlib\nimportlib.import_module('sklearn')", "imports by name at run time"),
        ("probes.gradients", "__import__('sklearn')", "imports by name at run time"),
        ("reference", "import kerastools", "kerastools: reference has no door to it"),
        ("reference", "from rnn_course import sequences", "rnn_course.sequences: reference has no door to it"),
        ("reference", "import rnn_course", "rnn_course: reference has no door to it"),
        ("reference", "import rnn_course.references", "rnn_course.references: reference has no door to it"),
        ("models.sentiment", "import numpy", "numpy: models has no door to it"),
        ("data.cache", "import pooch", "pooch: only inside a function"),
        ("cli", "import keras", "keras: only inside a function"),
        ("cli", "def f():\n    import tensorflow", "tensorflow: cli has no door to it"),
        ("__init__", "import numpy", "numpy: __init__ has no door to it"),
    ],
)
def test_a_planted_violation_is_caught(module, source, fault):
    (found,) = faults_in(source, module)
    assert fault in found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("probes.states", "import json\nfrom pathlib import Path\nimport numpy as np\nfrom keras import ops"),
        ("probes.states", "from rnn_course import reference\nfrom rnn_course.reference import forward"),
        (
            "probes.states",
            "from rnn_course.probes import autodiff\nfrom rnn_course.probes.layers import find_rnn_layers",
        ),
        ("probes.states", "def f():\n    from sklearn.manifold import TSNE"),
        ("probes.autodiff", "import tensorflow as tf"),
        ("plots.style", "from matplotlib.axes import Axes\ndef f():\n    from matplotlib import pyplot"),
        ("cli", "async def f():\n    import keras\n    from rnn_course.lessons import execute"),
    ],
)
def test_an_open_door_is_open(module, source):
    assert faults_in(source, module) == []


def test_tensorflow_has_a_door_for_datasets_one_for_derivatives_and_one_for_the_fused_layers_three_files():
    behind = [room for room, doors in LAYERS.items() if "tensorflow" in doors[0] | doors[1]]
    fused = ["layers.fused", "layers.recurrent_loops", "layers.recurrent_steps"]
    assert behind == [*fused, "feeding", "probes.autodiff"]


# --- what a docstring says --------------------------------------------------------------------------------------------

ROOMS_OF_ARRAYS = {
    *("reference", "sequences", "candidates", "ngrams", "metrics", "decoding", "generation", "translation"),
    *("streaming", "music", "frames", "composition", "biosequences", "features", "feeding"),
    *("layers", "models", "probes", "plots"),
}

# A tuple of axes such as (batch, 1 + time, units), `(…)`, an axis by itself, or a sentence about the shape.
AXIS = r"(?:[^\W\d]\w*|\d{1,3}|…)"
SIZE = rf"{AXIS}(?: ?[-+*·×/] ?{AXIS})*"
TUPLE = rf"\({SIZE},(?: ?{SIZE}(?:, ?{SIZE})*)?\)|\(…\)"
SHAPE = re.compile(rf"{TUPLE}|`(batch|time|units|features|lag)`|\b(scalar|shapes?|no arrays?)\b")
ARRAYS = re.compile(
    r"\b(arrays?|tensors?|numbers|integers|floats|indices|states|gradients|norms|logits|probabilities|masks?)\b"
)
# How the description of something that is plainly no array begins; nouns first, then what may stand before them.
NOUNS = """axes axis bool callable character characters color colormap distance figure float format function generator
    index int label layer line lines model name names none number patches path placeholder quantity rng seed size str
    string strings tape text texts token tokens true false unit vocabulary where whether word words"""
BEFORE = """a an any as built dict finite hatched hexadecimal its keras list matplotlib of one open or pathlib
    smallest the tuple uncompiled"""
PLAIN = re.compile(
    rf"(({'|'.join(BEFORE.split())}) )*(({'|'.join(NOUNS.split())})\b|[\"`]|(?<=list of )\()", re.IGNORECASE
)
QUESTION = re.compile(r"(what|which|how|where|when|whether)\b")


def sections_of(docstring):
    """Split a Google docstring: {"": the prose, "Args": {name: text}, "Returns": text, "Attributes": {…}, …}."""
    parts = re.split(r"^(Args|Returns|Yields|Raises|Attributes):\n", docstring, flags=re.MULTILINE)
    sections = {"": parts[0]}
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        body = re.split(r"^(?=\S)", body, maxsplit=1, flags=re.MULTILINE)[0]  # the section ends where the indent does
        entries = re.split(r"^    \*{0,2}(\w+): ", body, flags=re.MULTILINE)
        named = dict(zip(entries[1::2], (" ".join(text.split()) for text in entries[2::2]), strict=True))
        sections[title] = named if title in ("Args", "Attributes") else " ".join(body.split())
    return sections


def silent_parts(function):
    """List the arguments (and "the result") of a function whose docstring leaves the shape of an array open."""
    docstring = ast.get_docstring(function) or ""
    sections, given = sections_of(docstring), function.args
    names = [argument.arg for argument in (*given.posonlyargs, *given.args) if argument.arg not in ("self", "cls")]
    subjects = names[: len(names) - len(given.defaults)] if given.defaults else names
    options = [argument.arg for argument in given.kwonlyargs] + names[len(subjects) :]
    results = sections.get("Returns") or sections.get("Yields")
    if "Args" not in sections and results is None:
        speaks = SHAPE.search(docstring) or not (names or options or gives_back(function))
        return [] if speaks else ["the whole docstring"]
    entries = sections.get("Args", {})
    silent = [name for name in subjects if not tells(entries.get(name, ""))]
    silent += [name for name in options if not tells_of_option(entries.get(name, ""))]
    told = tells(results) if results else SHAPE.search(sections[""])
    return silent if told or not gives_back(function) else [*silent, "the result"]


def tells(text):
    """Tell whether a description states a shape, or begins with something that is plainly no array."""
    return bool(SHAPE.search(text) or PLAIN.match(text))


def tells_of_option(text):
    """Tell whether the description of an option speaks of no array without its shape."""
    return tells(text) or bool(QUESTION.match(text)) or not ARRAYS.search(text)


def gives_back(function):
    """Tell whether a function returns or yields something."""
    nested = {
        id(node)
        for inner in ast.walk(function)
        if inner is not function and isinstance(inner, ast.FunctionDef | ast.Lambda)
        for node in ast.walk(inner)
    }
    found = (node for node in ast.walk(function) if id(node) not in nested)
    return any(isinstance(node, ast.Return | ast.Yield | ast.YieldFrom) and node.value is not None for node in found)


def public_things(source):
    """Yield (name, node) of the classes, functions and methods that a module defines without an underscore."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node.name, node
            for part in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and not part.name.startswith("_"):
                    yield f"{node.name}.{part.name}", part


def silent_arrays(node):
    """List the annotated array attributes of a class whose entries under "Attributes" state no shape."""
    entries = sections_of(ast.get_docstring(node) or "").get("Attributes", {})
    fields = [
        part for part in node.body if isinstance(part, ast.AnnAssign) and "ndarray" in ast.unparse(part.annotation)
    ]
    return [field.target.id for field in fields if not SHAPE.search(entries.get(field.target.id, ""))]


@every_module
def test_everything_public_has_a_docstring(module):
    nodes = public_things(MODULES[module])
    assert [name for name, node in nodes if not (ast.get_docstring(node) or "").strip()] == []
    assert ast.get_docstring(ast.parse(MODULES[module]))


@pytest.mark.parametrize("module", [name for name in MODULES if name.partition(".")[0] in ROOMS_OF_ARRAYS])
def test_arrays_come_with_their_shapes(module):
    things = dict(public_things(MODULES[module]))
    check = {name: silent_arrays if isinstance(node, ast.ClassDef) else silent_parts for name, node in things.items()}
    silent = {name: check[name](node) for name, node in things.items()}
    assert {name: parts for name, parts in silent.items() if parts} == {}


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("models.")])
def test_a_model_says_what_goes_in_and_what_comes_out(module):
    builders = {name: node for name, node in public_things(MODULES[module]) if name.startswith("build_")}
    assert builders
    for name, node in builders.items():
        told = dict(re.findall(r"^(Input|Output): +(.+)$", ast.get_docstring(node), re.MULTILINE))
        assert len(told) == 2 and all(SHAPE.search(text) for text in told.values()), name


def planted(signature, *lines):
    """Parse a function with a docstring of these lines that returns something."""
    body = "\n    ".join(("Do it.", "", *lines))
    (function,) = ast.parse(f'def {signature}:\n    """{body}\n    """\n    return 1').body
    return function


RESULT = ("", "Returns:", "    An int.")


@pytest.mark.parametrize(
    ("function", "silent"),
    [
        (planted("f(hidden)", "Args:", "    hidden: the states.", *RESULT), ["hidden"]),
        (planted("f(hidden)", "Args:", "    hidden: what the layer computed.", *RESULT), ["hidden"]),
        (planted("f(hidden)", "Args:", "    hidden: a list of arrays.", *RESULT), ["hidden"]),
        (planted("f(hidden)", "Args:", "    other: `(batch, time)`.", *RESULT), ["hidden"]),
        (planted("f(hidden)", "Args:", "    hidden: see (Elman, 1990).", *RESULT), ["hidden"]),
        (planted("f(hidden)", "Args:", "    hidden: states (the last ones, too).", *RESULT), ["hidden"]),
        (
            planted("f(model, *, mask=None)", "Args:", "    model: a Keras model.", "    mask: the mask.", *RESULT),
            ["mask"],
        ),
        (planted("f(model)", "Args:", "    model: a Keras model."), ["the result"]),
        (planted("f(model)", "Args:", "    model: a Keras model.", "", "Returns:", "    The gates."), ["the result"]),
        (planted("f(h)", "Args:", "    h: `(batch, time)`.", "", "Returns:", "    The states."), ["the result"]),
        (planted("f(h)", "Returns:", "    `(batch, time)`."), ["h"]),
        (planted("f(hidden)", "Without sections."), ["the whole docstring"]),
        (planted("f()"), ["the whole docstring"]),
    ],
)
def test_a_missing_shape_is_caught(function, silent):
    assert silent_parts(function) == silent


@pytest.mark.parametrize(
    "function",
    [
        planted("f(hidden)", "Args:", "    hidden: `(batch, time, units)`, or", "        one step.", *RESULT),
        planted("f(hidden)", "Args:", "    hidden: the states,", "        `(batch, time, units)`.", *RESULT),
        planted("f(hidden)", "Args:", "    hidden: any shape `(…)`.", "", "Returns:", "    A scalar."),
        planted("f(model, *, gate)", "Args:", "    model: a built Keras model.", "    gate: which gate.", *RESULT),
        planted("f(ax)", "Args:", "    ax: the Axes.", "", "Returns:", "    The Axes; line i holds the states."),
        planted("f(model)", "Takes and returns no arrays."),
        planted("f(hidden)", "Length of `(batch, time, units)`, a scalar."),
    ],
)
def test_a_stated_shape_is_enough(function):
    assert silent_parts(function) == []


def test_an_array_attribute_without_its_shape_is_caught():
    (kind,) = ast.parse(
        'class Trace:\n    """It.\n\n    Attributes:\n'
        '        hidden: the states.\n        mask: (batch, time).\n    """\n'
        "    hidden: np.ndarray\n    mask: np.ndarray | None\n    gates: dict[str, np.ndarray]\n    kind: str\n"
    ).body
    assert silent_arrays(kind) == ["hidden", "gates"]


# --- what a file may be -----------------------------------------------------------------------------------------------


def project_files(root=ROOT):
    """Read the project's own text files: {path: content}; pictures and what tools leave behind are left out."""
    folders = ("lessons", "notebooks", "results", "data", "docs", ".ci")
    folders += ("tools", "benchmarks", "examples", "tests", "rnn_course")
    left = {"__pycache__", "_build", ".ipynb_checkpoints"}
    found = [path for folder in folders for path in (root / folder).rglob("*") if not left & set(path.parts)]
    texts = {}
    for path in (*root.glob("*"), *found):
        with contextlib.suppress(UnicodeDecodeError):
            if path.is_file() and path.name != "uv.lock":
                texts[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8")
    return texts


FILES = project_files()


def test_what_jupyterlab_and_python_leave_behind_is_no_file_of_the_project(tmp_path):
    for name in ("notebooks/.ipynb_checkpoints/a.ipynb", "tests/__pycache__/b.txt", "notebooks/c.ipynb", "uv.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("it", encoding="utf-8")
    assert project_files(tmp_path) == {"notebooks/c.ipynb": "it"}


def paths_of_this_machine():
    """List the folders that a file of the project must not name: those of whoever runs this test."""
    folders = {
        Path.home(),
        ROOT,
        Path(sys.prefix),
        Path(sys.base_prefix),
        Path(os.environ.get("RNN_COURSE_DATA", ROOT)),
    }
    return [f"{folder}/" for folder in folders if len(folder.parts) > 1 and folder != Path("/usr")]


def machine_paths_in(text, folders):
    """List the folders of a machine that a text names, as whole paths."""
    return [folder for folder in folders if re.search(rf"(?<![\w.~/-]){re.escape(folder)}", text)]


def test_no_file_names_a_path_of_this_machine():
    folders = paths_of_this_machine()
    named = {name: machine_paths_in(text, folders) for name, text in FILES.items()}
    assert {name: found for name, found in named.items() if found} == {}


def test_a_planted_machine_path_is_caught():
    folders = ["/home/ada/"]
    assert machine_paths_in('open("/home/ada/data.csv")', folders)
    assert not machine_paths_in("https://example.org/home/ada/ and ./home/ada/", folders)


def lines_of_code(source):
    """Count the lines that are neither empty, nor comment, nor docstring."""
    nodes = (
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    )
    docstrings = (node.body[0] for node in nodes if ast.get_docstring(node, clean=False) is not None)
    written = {line for text in docstrings for line in range(text.lineno, text.end_lineno + 1)}
    lines = enumerate(source.splitlines(), start=1)
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") and i not in written for i, line in lines)


def test_lines_of_code_are_counted_without_what_is_written_about_them():
    source = '"""A room.\n\nOf two.\n"""\n\n# why\ndef f():\n    """Say."""\n    return "a"  # so\n'
    assert lines_of_code(source) == 2


def test_every_file_can_be_read_in_one_sitting():
    lines = {module: lines_of_code(source) for module, source in MODULES.items()}
    assert {module: count for module, count in lines.items() if count > LONGEST_FILE} == {}


def test_every_model_fits_on_a_page():
    lines = {module: lines_of_code(source) for module, source in MODULES.items() if module.startswith("models.")}
    assert {module: count for module, count in lines.items() if count > LONGEST_MODEL} == {}


def body_lines(function):
    """Count the lines from the first statement of a function to its last, the docstring left out."""
    first = 1 if ast.get_docstring(function, clean=False) is not None else 0
    body = function.body[first:]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_no_function_is_longer_than_the_way_back_through_a_gru():
    lines = [(body_lines(each), module, each.name) for module in MODULES for each in functions_of(MODULES[module])]
    assert [entry for entry in lines if entry[0] > LONGEST_FUNCTION] == []
    assert sorted(lines)[len(lines) // 2][0] <= 8


def test_no_file_is_a_drawer_for_everything():
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [name for name in FILES if drawers & set(Path(name).with_suffix("").parts)] == []


def test_no_test_is_skipped_or_expected_to_fail():
    marks = re.compile(  # no skip: this line looks for them; "[#]" and "[D]" keep it from finding itself
        r"mark\.(skip|skipif|xfail)\b|pytest\.(skip|xfail|importorskip)\(|[#] noqa|[#] type: ignore|TO[D]O"
    )
    assert [name for name, text in FILES.items() if name.endswith(".py") and marks.search(text)] == []


# --- what is written twice --------------------------------------------------------------------------------------------


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements_of(project):
    """Collect {name: floor} of all that pyproject.toml asks for; not what one benchmark or the site alone uses."""
    extras = [lines for name, lines in project["optional-dependencies"].items() if name not in ("torch", "docs")]
    listed = [*project["dependencies"], *(line for lines in extras for line in lines)]
    return dict(line.split(">=") for line in listed if not line.startswith(project["name"]))


def requirements_in(environment):
    """Collect {name: floor} of an environment file, conda's part and pip's."""
    pip = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    listed = [entry for entry in environment["dependencies"] if isinstance(entry, str)] + pip
    return dict(line.split(">=") for line in listed if ">=" in line)


def test_conda_and_pip_install_the_same_with_the_same_floors():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert requirements_in(environment) == requirements_of(PROJECT)
    assert environment["dependencies"][-1]["pip"][-1] == "-e ."
    (python,) = (line for line in environment["dependencies"] if str(line).startswith("python="))
    assert PROJECT["requires-python"] == ">=3.11,<3.14"
    assert python in ("python=3.11", "python=3.12", "python=3.13")


def test_the_version_is_the_same_wherever_it_is_written():
    version = PROJECT["version"]
    assert f'__version__ = "{version}"' in MODULES["__init__"]
    assert yaml.safe_load(FILES["CITATION.cff"])["version"] == version
    assert f"## {version}" in FILES["CHANGELOG.md"]
    assert {
        tag for name in FILES if name.startswith("lessons/") for tag in re.findall(r"rnn_course@v([\d.]+)", FILES[name])
    } <= {version}


def code_of(function):
    """A function's name, arguments and body as text that says nothing of comments, layout and docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return "\n".join([function.name, ast.dump(function.args), *map(ast.dump, body)])


def functions_of(source):
    """Every function in a source, wherever it stands."""
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]


def code_shown_in(notebook):
    """The Python code that a notebook's outputs show, block by block."""
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    texts = ["".join(output.get("data", {}).get("text/markdown", "")) for output in outputs]
    return [block for text in texts for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]


def test_a_notebook_shows_the_functions_as_the_package_has_them():
    known = {code_of(function) for source in MODULES.values() for function in functions_of(source)}
    notebooks = {name: json.loads(text) for name, text in FILES.items() if name.endswith(".ipynb")}
    shown = {name: functions_of("\n".join(code_shown_in(notebook))) for name, notebook in notebooks.items()}
    assert sum(map(len, shown.values())) >= 20  # otherwise nothing was looked at
    assert [(name, each.name) for name, found in shown.items() for each in found if code_of(each) not in known] == []


def test_the_license_is_the_one_that_is_declared():
    assert FILES["LICENSE"].startswith("MIT License")
    assert "the rnn_course authors" in FILES["LICENSE"]


def prose_in(name, text, *, spans=False):
    """Read what a page says outside of its code, with or without code spans: a notebook's Markdown cells, or a file."""
    if name.endswith(".ipynb"):
        cells = (cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown")
        text = "\n\n".join("".join(cell["source"]) for cell in cells)
    text = re.sub(r"^(```+|~~~+).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    return text if spans else re.sub(r"`[^`]+`", "", text)


def links_in(prose):
    """List the targets of links and pictures, written in Markdown or in HTML."""
    written = r"\]\(<?([^)\s>]+)|^\[[^\]]+\]: +(\S+)|\b(?:href|src)=[\"']([^\"']+)"
    return ["".join(found) for found in re.findall(written, prose, re.MULTILINE)]


def anchors_in(name, text):
    """List the anchors of a page's headings: JupyterLab keeps case and signs, a page on the web does not."""
    spoken = re.sub(r"(?<!`)`(?!`)", "", prose_in(name, text, spans=True))
    headings = re.findall(r"^#+ +(.+?) *$", spoken, re.MULTILINE)
    if name.endswith(".ipynb"):
        return [heading.replace(" ", "-") for heading in headings]
    return [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]


def broken_links(name, files):
    """List the links of a page that lead nowhere: to no file of the project, no heading, or no address."""
    broken = []
    for link in links_in(prose_in(name, files[name])):
        if re.match(r"https?:|mailto:", link):
            broken += [] if re.fullmatch(r"https?://[\w.-]+\.\w+(/\S*)?|mailto:\S+@\S+", link) else [link]
            continue
        file, _, anchor = link.partition("#")
        target = os.path.normpath(Path(name).parent / file).replace(os.sep, "/") if file else name
        there = target in files or (ROOT / target).exists()
        if not there or (anchor and unquote(anchor) not in anchors_in(target, files.get(target, ""))):
            broken.append(link)
    return broken


PAGES = [name for name in FILES if name.endswith((".md", ".ipynb"))]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_and_picture_of_a_page_leads_somewhere(page):
    assert broken_links(page, FILES) == []


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("[a](cards/none.md)", ["cards/none.md"]),
        ("![a](none.png) and <img src='none.gif'>", ["none.png", "none.gif"]),
        ("[a][b]\n\n[b]: none.md", ["none.md"]),
        ("## Where it is\n[a](#where-it-is) [b](#Where-it-is)", ["#Where-it-is"]),
        ("[a](../README.md#run-it) [b](../README.md#walk-it)", ["../README.md#walk-it"]),
        (
            "[a](https://example.org/x_(y)) [b](https:/example.org) [c](http://nowhere)",
            ["https:/example.org", "http://nowhere"],
        ),
        ("[a](../README.md) `[b](none.md)`\n```\n[c](none.md)\n```\n", []),
    ],
)
def test_a_link_that_leads_nowhere_is_caught(text, broken):
    assert broken_links("data/page.md", {"data/page.md": text, "README.md": "# Course\n## Run it\n"}) == broken


def test_a_notebook_is_searched_for_links_in_its_prose_alone():
    cells = [{"cell_type": "markdown", "source": ["# The Gate\n", "[a](#The-Gate) [b](#the-gate)"]}]
    cells += [{"cell_type": "code", "source": ["[c](none.md)"]}]
    assert broken_links("page.ipynb", {"page.ipynb": json.dumps({"cells": cells})}) == ["#the-gate"]


def lessons_spoken_of(prose):
    """Yield (numbers, sentence) wherever a text speaks of lessons by their numbers."""
    for sentence in re.split(r"(?<=[.:;?!])\s+(?=[A-Z*`])|\n\n|^[#|-] ", prose, flags=re.MULTILINE):
        for numbers in re.findall(r"\b[Ll]essons?\s+(\d\d(?:(?:,| and| to| or|–)+\s*\d\d)*)\b", sentence):
            yield re.findall(r"\d\d", numbers), sentence


def test_a_lesson_that_does_not_exist_yet_is_called_planned():
    there = {Path(name).name[:2] for name in FILES if name.startswith("lessons/")}
    sources = PAGES + [name for name in FILES if name.startswith(("rnn_course/", "examples/", "benchmarks/"))]
    missing = [
        f"{name}: {sentence.strip()}"
        for name in sources
        for numbers, sentence in lessons_spoken_of(prose_in(name, FILES[name]))
        if set(numbers) - there and "planned" not in sentence
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("As in lesson 06.", [["06"]]),
        ("Lessons 05, 06 and 17 count. Lesson\n07 does not", [["05", "06", "17"], ["07"]]),
        ("the lesson: 10 units", []),
    ],
)
def test_the_lessons_that_a_text_speaks_of_are_found(text, numbers):
    assert [found for found, _ in lessons_spoken_of(text)] == numbers


def test_the_readme_gives_the_two_commands():
    lines = FILES["README.md"].splitlines()
    assert "pip install uv && uv run rnn-course run sentiment" in lines
    assert "pip install uv && uv run pytest" in lines
    assert lines.index("<!-- lessons:begin -->") < lines.index("<!-- lessons:end -->")

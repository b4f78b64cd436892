"""What the README shows a newcomer is what happens."""

import ast
import itertools
import re
from pathlib import Path
from statistics import geometric_mean

import pytest
from matplotlib import pyplot

from rnn_course.exercises import start_here
from rnn_course.layers import FusedLSTM

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


OPEN, STREAM, TRANSLATE, TRAIN, FEED = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_every_block_can_be_copied_by_itself_since_it_imports_what_it_uses():
    for block in (OPEN, STREAM, TRANSLATE, TRAIN, FEED):
        names = {node.id for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Name)}
        assert names & {"keras", "np"} <= set(re.findall(r"^import (?:numpy as )?(\w+)$", block, re.MULTILINE))


def test_the_helpers_open_the_readers_own_network():
    scope = {}
    exec(OPEN, scope)
    pyplot.close("all")
    assert scope["memory"].hidden.shape == (8, 50, 16)
    assert set(scope["memory"].gates) == {"input", "forget", "candidate", "output"}
    assert scope["flow"].norm().shape == (8, 50)


def test_a_model_goes_on_as_a_stream_with_and_without_keras(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scope = {}
    exec(STREAM, scope)
    numpy = scope["np"]
    whole = scope["model"].predict(numpy.ones((1, 22, 3), "float32"), verbose=0)[0]  # (time, 1)
    in_one_go, _ = scope["stream"].run(numpy.ones((22, 3)), scope["stream"].initial_state())
    numpy.testing.assert_allclose(in_one_go, whole, atol=1e-6)
    numpy.testing.assert_allclose(scope["y"], whole[-1], atol=1e-6)  # NumPy, from the state that Keras left
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.npz", "weights.npz"]


def test_two_pairs_of_sentences_are_enough_to_build_and_ask_a_translator():
    scope = {}
    exec(TRANSLATE, scope)
    found = scope["found"]
    assert found.source_tokens == ("el", "perro", "no", "canta", "￭.")
    assert found.alignment.shape == (len(found.tokens), 5)
    assert set(found.tokens) <= set(scope["target_words"].tokens)


def test_a_model_of_the_readers_own_is_made_of_a_fused_layer():
    scope = {}
    exec(TRAIN, scope)
    assert type(scope["model"].layers[0]) is FusedLSTM
    assert scope["model"].history.history["loss"][0] > 0


@pytest.fixture(scope="module")
def training_times():
    """The table of training steps in the README: {(cell, units, time, batch): milliseconds of each way}."""
    rows = re.findall(r"^\| (LSTM|GRU) \| ([\d |.]+) \|$", README, re.MULTILINE)
    cells = [(cell, row.split(" | ")) for cell, row in rows]
    return {(cell, *map(int, row[:3])): [float(each) for each in row[3:]] for cell, row in cells if len(row) == 8}


def test_batches_of_the_readers_own_are_read_in_every_epoch():
    scope = {}
    exec(FEED, scope)
    assert len(scope["history"].history["loss"]) == 3 and len(scope["batches"]) == 4


def test_the_table_of_training_steps_is_whole(training_times):
    sizes = itertools.product(("LSTM", "GRU"), (64, 128, 256, 512), (20, 100, 400), (16, 64, 256))
    assert list(training_times) == list(sizes)
    assert all(fused > floor > 0 for *_, fused, _, floor in training_times.values())


@pytest.mark.parametrize(("name", "cells"), [("LSTM", ["LSTM"]), ("GRU", ["GRU"]), ("both", ["LSTM", "GRU"])])
def test_the_means_above_the_table_are_those_of_its_rows(training_times, name, cells):
    rows = [row for size, row in training_times.items() if size[0] in cells]
    keras = [min(stock, jit) / fused for stock, jit, fused, *_ in rows]
    torch = [torch / fused for *_, fused, torch, _ in rows]
    shown = re.search(rf"^\| {name} \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", README, re.MULTILINE)
    found = [geometric_mean(keras), min(keras), geometric_mean(torch), min(torch)]
    assert [float(each) for each in shown.groups()] == pytest.approx(found, abs=0.011)


def test_at_so_many_sizes_pytorch_is_quicker(training_times):
    quicker = [size for size, (*_, fused, torch, _) in training_times.items() if torch < fused]
    assert {cell for cell, *_ in quicker} == {"LSTM"}
    assert f"the quicker one at {len(quicker)} of its 36 sizes" in README
    assert all(time == 20 or batch == 16 or units == 64 for _, units, time, batch in quicker)


def test_the_fused_layers_keep_to_their_goals(training_times):
    keras = [min(stock, jit) / fused for stock, jit, fused, *_ in training_times.values()]
    assert geometric_mean(keras) >= 1.4 and min(keras) >= 0.95
    assert geometric_mean(torch / fused for *_, fused, torch, _ in training_times.values()) >= 1.1


def test_the_check_says_what_the_readme_says():
    verdict = start_here.q1.check(lambda w: 1 / (1 - w), seed=1)
    assert f">>> exercises.q1.check(lambda w: 1 / (1 - w))\n{verdict}\n```" in README

"""What the README shows a newcomer is what happens."""

import re
from pathlib import Path

from matplotlib import pyplot

from rnn_course.exercises import start_here

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


OPEN, STREAM, TRANSLATE = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


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
    exec(OPEN.partition("\nmodel =")[0], scope)  # its imports
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


def test_the_check_says_what_the_readme_says():
    verdict = start_here.q1.check(lambda w: 1 / (1 - w), seed=1)
    assert f">>> exercises.q1.check(lambda w: 1 / (1 - w))\n{verdict}\n```" in README

"""What the README shows a newcomer is what happens."""

import re
from pathlib import Path

from matplotlib import pyplot

from rnn_course.exercises import start_here

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_helpers_open_the_readers_own_network():
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    scope = {}
    exec(code, scope)
    pyplot.close("all")
    assert scope["memory"].hidden.shape == (8, 50, 16)
    assert set(scope["memory"].gates) == {"input", "forget", "candidate", "output"}
    assert scope["flow"].norm().shape == (8, 50)


def test_the_check_says_what_the_readme_says():
    verdict = start_here.q1.check(lambda w: 1 / (1 - w), seed=1)
    assert f">>> exercises.q1.check(lambda w: 1 / (1 - w))\n{verdict}\n```" in README

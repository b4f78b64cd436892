"""The registry of real data, and the files that travel with the course."""

import re
import subprocess
import sys

import pytest

from rnn_course.data import registry
from rnn_course.data.registry import data_set, data_sets, shipped

PINNED = re.compile(
    r"https://raw\.githubusercontent\.com/[\w.-]+/[\w.-]+/[0-9a-f]{40}/[\w./-]+"
    r"|https://github\.com/[\w.-]+/[\w.-]+/archive/v[\d.]+\.tar\.gz"
)


def test_the_registry_knows_every_data_set_of_the_course():
    names = (
        "sst2 sms_spam tatoeba_spa_eng tinyshakespeare ud_english_ewt wnut17 snips_intents cmudict jsb_chorales "
        "splice_junctions jhmdb_poses mnist spoken_digits etth1 nab_nyc_taxi japanese_vowels"
    )
    assert list(data_sets()) == names.split()


@pytest.mark.parametrize("name", data_sets())
def test_every_file_has_a_pinned_address_a_sum_and_a_size_and_its_data_set_license_and_citation(name):
    chosen = data_set(name)
    assert chosen.name == name
    assert chosen.license
    assert chosen.citation.endswith(".")
    assert len({file.path for file in chosen.files}) == len(chosen.files) > 0
    for file in chosen.files:
        assert PINNED.fullmatch(file.url)
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert file.bytes > 1_000
        assert file.url.endswith(file.path)
        assert ".." not in file.path.split("/")


def test_the_size_of_a_data_set_is_that_of_its_files():
    assert data_set("mnist").bytes == 1_648_877 + 4_542


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"no data set 'glue'\. Pass one of: sst2, .*, japanese_vowels\."):
        data_set("glue")


def test_shipped_files_are_found_in_a_clone_and_in_a_wheel(tmp_path, monkeypatch):
    module = tmp_path / "rnn_course" / "data" / "registry.py"
    in_clone = tmp_path / "data" / "cards" / "x.md"
    in_wheel = tmp_path / "rnn_course" / "shipped" / "data" / "cards" / "x.md"
    monkeypatch.setattr(registry, "__file__", str(module))
    for place in (in_clone, in_wheel):  # where there are both, the wheel's own is right
        place.parent.mkdir(parents=True)
        place.write_text("card")
        assert shipped("data", "cards", "x.md") == place
    with pytest.raises(FileNotFoundError, match=r"data/cards/y\.md is missing: looked for .*shipped.*y\.md"):
        shipped("data", "cards", "y.md")


def test_importing_the_data_room_loads_nothing_heavy():
    code = (
        "import sys, rnn_course.data, rnn_course.sequences\n"
        "heavy = {'pooch', 'requests', 'tqdm', 'keras', 'tensorflow', 'matplotlib', 'sklearn'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

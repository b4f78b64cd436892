"""What every loader of the data room promises; a new `load_<task>` is found and held to it by itself."""

import inspect
import socket

import numpy as np
import pytest

from rnn_course import data

LOADERS = {name: getattr(data, name) for name in data.__all__ if name.startswith("load_")}


@pytest.fixture
def no_network(monkeypatch):
    """Any use of a socket or of the name service fails the test."""

    def refuse(*arguments, **options):
        pytest.fail("the network was touched")

    for name in ("socket", "create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)


def test_there_are_loaders_and_all_of_them_are_public():
    assert {"load_sentiment", "load_text"} <= set(LOADERS)
    assert {name for name in dir(data) if name.startswith("load_")} == set(LOADERS)


@pytest.mark.parametrize("load", LOADERS.values(), ids=LOADERS)
def test_a_loader_takes_a_source_which_is_auto_by_default(load):
    first = next(iter(inspect.signature(load).parameters.values()))
    assert (first.name, first.default) == ("source", "auto")


@pytest.mark.parametrize("load", LOADERS.values(), ids=LOADERS)
def test_the_sample_needs_no_network_and_no_cache(load, no_network, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("RNN_COURSE_DATA", str(tmp_path / "nowhere"))
    loaded = load("sample")
    assert loaded.source == "sample"
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("load", LOADERS.values(), ids=LOADERS)
def test_what_is_loaded_is_a_frozen_named_tuple_with_source_and_card(load):
    loaded = load("sample")
    assert isinstance(loaded, tuple)
    assert loaded._fields[-2:] == ("source", "card")
    assert loaded.card.startswith("# ")
    assert "License" in loaded.card
    assert len(repr(loaded)) < 300
    for field in loaded._fields:
        with pytest.raises(AttributeError):
            setattr(loaded, field, None)


@pytest.mark.parametrize("load", LOADERS.values(), ids=LOADERS)
def test_the_same_sample_comes_twice(load):
    first, second = load("sample").train, load("sample").train
    if isinstance(first, str):
        assert first == second
        return
    for once, again in zip(first, second, strict=True):
        for left, right in zip(once, again, strict=True):
            np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("load", LOADERS.values(), ids=LOADERS)
def test_an_unknown_source_lists_the_known_ones(load):
    with pytest.raises(ValueError, match=r"no source 'imaginary' .*'auto', 'sample', '"):
        load("imaginary")

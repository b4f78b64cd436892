"""Batches go to `fit` as they are, in their order, through a dataset that does not tune itself."""

import keras
import numpy as np
import pytest

from rnn_course.feeding import dataset_of, in_batches

INPUTS = np.arange(30, dtype="float32").reshape(10, 3)
TARGETS = np.arange(10)


def endless():
    """Batches of 4 rows drawn at random, for ever; the same ones each time it is called."""
    rng = np.random.default_rng(0)
    while True:
        rows = rng.integers(0, 10, 4)
        yield INPUTS[rows], TARGETS[rows] / 10


def trained(batches, **options):
    """The weights of a small network after training."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.1), "mse")
    history = model.fit(batches, epochs=2, verbose=0, shuffle=False, **options).history
    return model.get_weights(), history


def assert_alike(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_every_batch_comes_in_its_place_whatever_its_size():
    found = list(dataset_of(in_batches((INPUTS, TARGETS), size=4)).as_numpy_iterator())
    assert [len(inputs) for inputs, _ in found] == [4, 4, 2]
    assert_alike([np.concatenate(side) for side in zip(*found, strict=True)], [INPUTS, TARGETS])
    assert found[0][1].dtype == TARGETS.dtype


def test_a_generator_is_read_from_its_first_batch_on_and_once():
    dataset = dataset_of(batch for batch in in_batches((INPUTS, TARGETS), size=5))
    assert [len(inputs) for inputs, _ in dataset] == [5, 5]
    assert list(dataset) == []


def test_structures_stay_what_they_are():
    ((first, second), third), *_ = dataset_of(in_batches(((INPUTS, TARGETS), INPUTS[:, 0]))).as_numpy_iterator()
    assert_alike([first, second, third], [INPUTS, TARGETS, INPUTS[:, 0]])


def test_a_network_learns_the_same_from_the_dataset_and_from_what_it_is_made_of():
    held_out = (INPUTS, TARGETS / 10)
    found = trained(dataset_of(endless()), steps_per_epoch=3, validation_data=dataset_of(in_batches(held_out, size=5)))
    expected = trained(endless(), steps_per_epoch=3, validation_data=held_out, validation_batch_size=5)
    assert_alike(found[0], expected[0])
    assert found[1] == expected[1]


def test_nothing_tunes_itself_while_fit_reads():
    assert dataset_of(endless()).options().autotune.enabled is False


@pytest.mark.parametrize("batches", [[], (batch for batch in [])])
def test_no_batch_is_refused(batches):
    with pytest.raises(ValueError, match=r"There is no batch. Pass a list or a generator"):
        dataset_of(batches)


@pytest.mark.parametrize(
    ("arrays", "size", "message"),
    [
        ((INPUTS, TARGETS[1:]), 4, "The inputs hold 9 and 10 examples; expected the same number in each"),
        ((INPUTS[:0], TARGETS[:0]), 4, "The inputs hold 0 examples; expected .* one at least"),
        ((INPUTS, TARGETS), 0, "size is 0; pass how many examples a batch holds, 1 or more"),
    ],
)
def test_arrays_that_cannot_be_cut_are_refused(arrays, size, message):
    with pytest.raises(ValueError, match=message):
        in_batches(arrays, size=size)

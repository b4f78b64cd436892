"""The Transformer that streams are held against really is one, and its cache changes nothing but the work."""

import numpy as np
import pytest

from rnn_course.streaming import CausalTransformer

TIME, FEATURES = 150, 3


def transformer(layers=2, seed=0):
    rng = np.random.default_rng(seed)
    return CausalTransformer(features=FEATURES, width=16, heads=2, hidden=24, outputs=4, layers=layers, rng=rng)


def inputs(seed=1):
    return np.random.default_rng(seed).normal(size=(TIME, FEATURES))


def stepped(net, x, cache):
    return np.stack([net.step(one, cache)[0] for one in x])


@pytest.mark.parametrize("layers", [1, 2])
def test_stepping_with_the_cache_is_the_whole(layers):
    net, x = transformer(layers), inputs()
    np.testing.assert_allclose(stepped(net, x, net.initial_cache()), net.whole(x), atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("block", [7, 64, 512])
def test_a_prefilled_cache_is_one_that_was_stepped_to(layers, block):
    net, x = transformer(layers), inputs()
    cache = net.prefill(x[:130], net.initial_cache(), block=block)
    assert cache.length == 130
    np.testing.assert_allclose(stepped(net, x[130:], cache), net.whole(x)[130:], atol=1e-5)


def test_what_comes_later_changes_nothing_earlier():
    net, x, other = transformer(), inputs(), inputs()
    other[100:] += 1
    before, after = net.whole(x), net.whole(other)
    np.testing.assert_allclose(after[:100], before[:100], atol=1e-6)
    assert np.abs(after[100:] - before[100:]).max(1).min() > 0.01


def test_what_came_first_is_still_heard_at_the_end():
    net, x, other = transformer(), inputs(), inputs()
    other[0] += 5
    assert np.abs(net.whole(x)[-1] - net.whole(other)[-1]).max() > 1e-4


def test_attention_sees_how_far_apart_steps_are():
    # Without positions, the last step could not tell in which order the others came.
    net, x, other = transformer(1), inputs(), inputs()
    other[:-1] = x[:-1][::-1]
    assert np.abs(net.whole(x)[-1] - net.whole(other)[-1]).max() > 1e-3


def test_queries_and_keys_see_the_distance_not_the_place():
    net = transformer(1)
    hidden = np.random.default_rng(2).normal(size=(2, 16)).astype(np.float32)
    products = []
    for first in (0, 37, 99_998):
        queries, keys, _ = net.split(net.blocks[0], hidden.copy(), first)
        products.append(queries[:, 1] @ keys[:, 0].T)
    np.testing.assert_allclose(products[1:], [products[0]] * 2, atol=1e-5)


def test_the_cache_grows_with_every_step_and_doubles_its_room():
    net = transformer(2)
    cache, rooms = net.initial_cache(), []
    assert cache.nbytes == 0
    for x in inputs():
        net.step(x, cache)
        rooms.append(cache.capacity)
    per_step = 2 * 2 * 16 * 4  # layers, keys and values, width, bytes of a float
    assert cache.nbytes == TIME * per_step
    assert sorted(set(rooms)) == [64, 128, 256]


def test_the_parameters_are_counted():
    net = transformer(2)
    assert net.parameters == 3 * 16 + 2 * (4 * 16 * 16 + 2 * 16 * 24) + 16 * 4 + 4


def test_a_width_that_cannot_be_split_is_refused():
    with pytest.raises(ValueError, match=r"width is 18 and heads 4.*multiple of 8"):
        CausalTransformer(features=1, width=18, heads=4, hidden=8, outputs=1, rng=np.random.default_rng(0))

"""A small causal Transformer with a key-value cache, NumPy alone: what a recurrent stream is held against.

It too can be asked one step at a time, but it looks back at every step it has seen: it keeps a key and a value for each
of them, and reads all of these at each new step. Its memory, and the time of a step, grow with what it has heard.
"""

from typing import NamedTuple

import numpy as np

EPSILON = np.float32(1e-6)
FIRST_ROOM = 64  # steps, doubled where there are more


class Block(NamedTuple):
    """The weights of one layer.

    Attributes:
        attention: `(width, 3 * width)`, to queries, keys and values; queries come divided by the root of a head's size.
        output: `(width, width)`.
        expand: `(width, hidden)`.
        contract: `(hidden, width)`.
    """

    attention: np.ndarray
    output: np.ndarray
    expand: np.ndarray
    contract: np.ndarray


class KeyValueCache:
    """The keys and values of all steps so far. It grows in place, and doubles its arrays when they are full.

    Attributes:
        length: how many steps it holds.
        keys: `(layers, heads, size, capacity)`, one step beside the other: a query reads along them.
        values: `(layers, heads, capacity, size)`.
        scores: `(heads, 1, capacity)`, room for one step's attention.
    """

    def __init__(self, layers, heads, size):
        """Make room for the first steps; the arrays are `(layers, heads, FIRST_ROOM, size)` in all."""
        self.length = 0
        self.keys = np.zeros((layers, heads, size, FIRST_ROOM), np.float32)
        self.values = np.zeros((layers, heads, FIRST_ROOM, size), np.float32)
        self.scores = np.zeros((heads, 1, FIRST_ROOM), np.float32)

    @property
    def capacity(self):
        """How many steps fit before the arrays grow, a scalar."""
        return self.keys.shape[-1]

    @property
    def nbytes(self):
        """Bytes that the keys and values of the steps so far take, a scalar; its arrays hold up to twice as much."""
        return self.length * (self.keys.nbytes + self.values.nbytes) // self.capacity

    def make_room(self, steps):
        """Double the arrays until so many steps more fit: on average a constant cost. Takes no arrays."""
        capacity = self.capacity
        while capacity < self.length + steps:
            capacity *= 2
        if capacity > self.capacity:
            self.keys = grown(self.keys, 3, capacity, self.length)
            self.values = grown(self.values, 2, capacity, self.length)
            self.scores = grown(self.scores, 2, capacity, 0)


def grown(array, axis, capacity, length):
    """Copy the first `length` entries along an axis of an array `(…)` into a longer one, `(…)`."""
    shape = list(array.shape)
    shape[axis] = capacity
    longer = np.zeros(shape, array.dtype)
    kept = (slice(None),) * axis + (slice(length),)
    longer[kept] = array[kept]
    return longer


def scale_of(x):
    """One over the root mean square of vectors `(…, width)`, as `(…, 1)` (RMSNorm, Zhang & Sennrich 2019, no gain)."""
    return 1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + EPSILON)


class CausalTransformer:
    """A Transformer (Vaswani et al. 2017) that may only look back.

    Norm before each part, no biases but at the ends, rotary positions (Su et al. 2021), so that any length will do.
    The weights are random: what a step costs does not depend on what they are.
    """

    def __init__(self, *, features, width, heads, hidden, outputs, layers=1, rng):
        """Draw the weights.

        Args:
            features: numbers that come in at each step.
            width: numbers that a step is held in; a multiple of twice the heads.
            heads: attention heads.
            hidden: units of the two-layer network after the attention.
            outputs: numbers that go out at each step.
            layers: how many layers.
            rng: a `numpy.random.Generator`, or a seed for one.

        Raises:
            ValueError: the width cannot be split into heads of an even size.
        """
        if width % (2 * heads):
            raise ValueError(
                f"width is {width} and heads {heads}: each head needs an even number of them for rotary positions. "
                f"Pass a width that is a multiple of {2 * heads}."
            )
        rng = np.random.default_rng(rng)
        self.heads, self.size, self.width = heads, width // heads, width
        self.embed, self.head = drawn(rng, features, width), drawn(rng, width, outputs)
        self.bias = np.zeros(outputs, np.float32)
        self.blocks = [
            Block(
                drawn(rng, width, 3 * width),
                drawn(rng, width, width),
                drawn(rng, width, hidden),
                drawn(rng, hidden, width),
            )
            for _ in range(layers)
        ]
        for block in self.blocks:
            block.attention[:, :width] /= np.sqrt(self.size)
        self.speeds = np.tile(10000.0 ** (-2 * np.arange(self.size // 2) / self.size), 2 * heads)  # of queries and keys

    @property
    def parameters(self):
        """How many weights it has, a scalar."""
        return sum(array.size for array in (self.embed, self.head, self.bias, *(w for b in self.blocks for w in b)))

    def initial_cache(self):
        """A `KeyValueCache` without steps, its arrays `(layers, heads, size, capacity)`."""
        return KeyValueCache(len(self.blocks), self.heads, self.size)

    def whole(self, x):
        """Read a whole sequence at once, as in a textbook: every step's attention in one masked matrix.

        Args:
            x: `(time, features)`.

        Returns:
            `(time, outputs)`; each step has seen itself and those before it.
        """
        time = len(x)
        hidden = np.asarray(x, np.float32) @ self.embed
        for block in self.blocks:
            queries, keys, values = self.split(block, hidden, 0)  # each (heads, time, size)
            scores = np.where(np.tri(time, dtype=bool), queries @ keys.swapaxes(1, 2), -np.inf)
            hidden = self.finish(block, hidden, softmax(scores) @ values)
        return (hidden * scale_of(hidden)) @ self.head + self.bias

    def step(self, x, cache):
        """Take one step.

        Args:
            x: `(features,)`.
            cache: the `KeyValueCache` of the steps before, arrays `(layers, heads, …)`; this step is added to it.

        Returns:
            `(outputs,)`, and the same cache.
        """
        cache.make_room(1)
        here, after, width = cache.length, cache.length + 1, self.width
        turn = np.exp(1j * here * self.speeds).astype(np.complex64)  # a rotation of each pair of numbers
        hidden = np.asarray(x, np.float32).dot(self.embed)
        scores = cache.scores[:, :, :after]
        for number, block in enumerate(self.blocks):
            mixed = hidden.dot(block.attention)
            mixed *= self.scale(hidden)
            pairs = mixed[: 2 * width].view(np.complex64)
            pairs *= turn
            queries, keys, values = mixed.reshape(3, self.heads, self.size)
            cache.keys[number, :, :, here] = keys
            cache.values[number, :, here] = values
            np.matmul(queries[:, None], cache.keys[number, :, :, :after], out=scores)
            scores -= scores.max(-1, keepdims=True)
            np.exp(scores, out=scores)
            context = np.matmul(scores, cache.values[number, :, :after])  # (heads, 1, size)
            context /= scores.sum(-1, keepdims=True)
            hidden = hidden + context.reshape(-1).dot(block.output)
            units = hidden.dot(block.expand)
            units *= self.scale(hidden)
            np.maximum(units, 0, out=units)
            hidden += units.dot(block.contract)
        cache.length = after
        return (hidden * self.scale(hidden)).dot(self.head) + self.bias, cache

    def scale(self, hidden):
        """As `scale_of`, a scalar, for one vector `(width,)`: by one product."""
        return 1 / np.sqrt(hidden.dot(hidden) / self.width + EPSILON)

    def prefill(self, x, cache, *, block=512):
        """Read many steps without asking what they say, in blocks: to come to a long cache quickly.

        Args:
            x: `(time, features)`.
            cache: the `KeyValueCache` of the steps before, arrays `(layers, heads, …)`; these steps are added to it.
            block: how many steps are read at once.

        Returns:
            The same cache, arrays `(layers, heads, …)`.
        """
        for begin in range(0, len(x), block):
            hidden = np.asarray(x[begin : begin + block], np.float32) @ self.embed
            cache.make_room(len(hidden))
            here, after = cache.length, cache.length + len(hidden)
            for number, weights in enumerate(self.blocks):
                queries, keys, values = self.split(weights, hidden, here)
                cache.keys[number, :, :, here:after] = keys.swapaxes(1, 2)
                cache.values[number, :, here:after] = values
                if number + 1 < len(self.blocks):  # nobody will ask for the last layer's attention
                    seen = np.arange(after) <= np.arange(here, after)[:, None]
                    scores = np.where(seen, queries @ cache.keys[number, :, :, :after], -np.inf)
                    hidden = self.finish(weights, hidden, softmax(scores) @ cache.values[number, :, :after])
            cache.length = after
        return cache

    def split(self, block, hidden, first):
        """Make queries, keys and values of steps, the first of which has the number `first`.

        Args:
            block: a layer's `Block`.
            hidden: `(time, width)`.
            first: an int.

        Returns:
            Three arrays `(heads, time, size)`; queries and keys are turned by their position.
        """
        mixed = (hidden * scale_of(hidden)) @ block.attention
        angles = np.arange(first, first + len(hidden))[:, None] * self.speeds
        pairs = mixed[:, : 2 * self.width].reshape(len(hidden), -1, 2)
        even, odd, cosine, sine = pairs[..., 0], pairs[..., 1], np.cos(angles), np.sin(angles)
        turned = np.stack([even * cosine - odd * sine, even * sine + odd * cosine], axis=-1).astype(np.float32)
        mixed[:, : 2 * self.width] = turned.reshape(len(hidden), -1)
        return mixed.reshape(len(hidden), 3, self.heads, self.size).transpose(1, 2, 0, 3)

    def finish(self, block, hidden, context):
        """Add to `(time, width)` what attention found, `(heads, time, size)`, then what the two-layer network says."""
        hidden = hidden + context.swapaxes(0, 1).reshape(hidden.shape) @ block.output
        return hidden + np.maximum(hidden * scale_of(hidden) @ block.expand, 0) @ block.contract


def drawn(rng, rows, columns):
    """A random matrix `(rows, columns)` that keeps the size of what it multiplies."""
    return (rng.normal(size=(rows, columns)) / np.sqrt(rows)).astype(np.float32)


def softmax(scores):
    """Shares `(…, time)` of scores `(…, time)`."""
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)

"""Let a character model write: the whole loop inside one compiled function.

A network that writes feeds on its own choices: read a character, draw the next, read that. Driven from Python, each
round pays for a call, a hundred times what the network itself costs. Here reading the prompt, softmax, temperature,
filters, the choice and feeding it back are one compiled loop (`benchmarks/generation.py` measures the ratio). Chance
comes from outside: one uniform number a character, drawn beforehand, looked up as `rnn_course.decoding.choose` does.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from rnn_course.decoding import ROUNDING, distribution
from rnn_course.streaming import build_step_model

BLOCK = 512  # steps of one compiled call; longer texts take several, and the states are carried over
FREE = -1  # stands where nothing is to be read but what was drawn last
NEVER_DRAWN = 2  # the first ids, padding and unknown: they are no characters


@dataclass(frozen=True, eq=False)
class Generated:
    """A text that a model wrote. `str` gives it with its prompt.

    Attributes:
        text: the characters that were drawn, without the prompt.
        probabilities: `(length,)` float32, of each drawn character in the distribution that it was drawn from: after
            temperature and filters, without padding and unknown. All 1 when greedy.
        model_probabilities: `(length,)` float32, of each drawn character as the model has it: temperature 1, nothing
            left out.
        prompt: the text that the model had read before.
    """

    text: str
    probabilities: np.ndarray
    model_probabilities: np.ndarray
    prompt: str

    def __str__(self):
        """Return the prompt and, without a gap, the text."""
        return self.prompt + self.text

    def __repr__(self):
        """Return a short form that prints no array."""
        return f"Generated({len(self.text):,} characters after {self.prompt[-20:]!r}: {self.text[:40]!r})"


class Sampler:
    """Writes with a trained character model; compiled at the first text, and never again.

    It shares its weights with the model: train on, and it writes with what was learned since. The states of a stateful
    model are neither read nor changed: every text begins with nothing remembered but the prompt.

    Args:
        model: a built Keras model that reads character ids `(batch, time)` and ends in logits
            `(batch, time, vocabulary)` of the next one; any that `rnn_course.streaming.build_step_model` can take
            apart.
        vocabulary: a `Vocabulary` of single characters: `Vocabulary.from_texts([list(text)])`. Its ids 0 (padding)
            and 1 (unknown) are never drawn.

    Raises:
        ValueError: where the model reads something else than ids, does not end in `len(vocabulary)` logits, or cannot
            be taken apart; where a token of the vocabulary is no single character.
    """

    def __init__(self, model, vocabulary):
        """Take the model apart; nothing is compiled yet."""
        _refuse_words(vocabulary)
        step_model = build_step_model(model)
        _refuse_model(model, step_model, vocabulary)
        self.vocabulary = vocabulary
        self._loop = SamplingLoop(step_model)
        self._loop.compile(jit_compile=True)

    def generate(self, prompt, *, length, temperature=1.0, top_k=None, top_p=None, greedy=False, rng=None):
        """Read a prompt and write on.

        The same numbers give the same choices as `rnn_course.decoding.sample` on the model's logits, one character
        after the other; in float32, so that one that falls within a rounding of the border between two characters may
        go to the other.

        Args:
            prompt: text to begin with, at least one character. A line break is a good neutral one.
            length: characters to write, 1 or more.
            temperature: a number above 0; below 1 the likely becomes likelier.
            top_k: draw from this many of the most likely only; from all when None.
            top_p: draw from the smallest set that holds this share of the probability (of what top-k left); from all
                when None.
            greedy: whether to take the most likely character every time (the lower id of equals); goes with no other
                option.
            rng: a `numpy.random.Generator`, of which `length` numbers are drawn, or a seed for one; not needed when
                greedy.

        Returns:
            A `Generated`.

        Raises:
            ValueError: an empty prompt or one with unknown characters, a length below 1, options that make no sense
                or contradict each other, or a model whose logits are not finite.
        """
        ids = self._ids_of(prompt)
        if length != int(length) or length < 1:
            raise ValueError(f"length is {length}; pass how many characters to write, a whole number from 1 on.")
        options = _options(temperature, top_k, top_p, greedy, rng)
        read, uniforms = np.full(len(ids) + length - 1, FREE), np.zeros(len(ids) + length - 1)
        read[: len(ids)] = ids
        if not greedy:
            uniforms[len(ids) - 1 :] = np.random.default_rng(rng).random(length)
        drawn, chances, own = (values[len(ids) - 1 :] for values in self._run(read, uniforms, options))
        return Generated("".join(self.vocabulary.decode(drawn)), chances, own, prompt)

    def _ids_of(self, prompt):
        """Encode the prompt; refuse what the model has never read."""
        if not prompt:
            raise ValueError("The prompt is empty, and the model has to read something first. Pass such as '\\n'.")
        ids = self.vocabulary.encode(list(prompt))
        if min(ids) < NEVER_DRAWN:
            place = next(place for place, index in enumerate(ids) if index < NEVER_DRAWN)
            raise ValueError(
                f"Character {prompt[place]!r} at position {place} of the prompt is not in the vocabulary, so the model "
                f"has never read it. Leave it out; it knows {''.join(self.vocabulary.tokens[NEVER_DRAWN:])!r:.120}."
            )
        return ids

    def _run(self, read, uniforms, options):
        """Go through all steps, block by block; return ids, their probabilities and the model's, `(time,)` each."""
        total, blocks = len(read), -(-len(read) // BLOCK)
        padding = (0, blocks * BLOCK - total)
        rows = zip(
            np.pad(read, padding).astype("int32").reshape(blocks, BLOCK),
            np.pad(uniforms, padding).astype("float32").reshape(blocks, BLOCK),
            strict=True,
        )
        drawn, states, found = np.zeros((), "int32"), self._loop.initial_states(), []
        for number, (block, numbers) in enumerate(rows):
            steps = np.array(min(BLOCK, total - number * BLOCK), "int32")
            values, drawn, states = self._loop.predict_on_batch((block, numbers, options, steps, drawn, states))
            if not np.isfinite(values[2][:steps]).all():
                raise ValueError(
                    "The model's logits are not finite: its weights have probably run away. Look at the training loss; "
                    "a lower learning rate or clipped gradients help."
                )
            found.append(values)
        return [np.concatenate(parts)[:total] for parts in zip(*found, strict=True)]


class SamplingLoop(keras.Model):
    """Up to `BLOCK` steps of reading and drawing in one call, for one text; what may change is an input, not code.

    Args:
        step_model: what `build_step_model` returns.
    """

    def __init__(self, step_model):
        """Keep the model of one step, whose weights become this model's own."""
        super().__init__(autocast=False, name="sampling_loop")
        self.step_model = step_model

    def initial_states(self):
        """Make the states of a model that has read nothing: a list of zeros, each `(1, units)`."""
        return [np.zeros((1, *state.shape[1:]), state.dtype) for state in self.step_model.inputs[1:]]

    def call(self, inputs):
        """Read and draw.

        Args:
            inputs: a tuple of ids to read `(BLOCK,)`, `FREE` where it is the character drawn last; uniform numbers
                `(BLOCK,)`; options `(3,)`: temperature, top-k, top-p; the number of steps, scalar; the id drawn last,
                scalar; the states, a list of `(1, units)`.

        Returns:
            A tuple of what was found at each step, a list of three `(BLOCK,)` (drawn ids, their probabilities, the
            model's probabilities); the id drawn last, scalar; the states, a list of `(1, units)`.
        """
        read, uniforms, options, steps, drawn, states = inputs

        def go_on(step, drawn, states, found):
            return step < steps

        def read_and_draw(step, drawn, states, found):
            # `take`, not `[…]`: an index that depends on the inputs is a constant to XLA, compiled anew for every text.
            given = ops.take(read, step)
            logits, states = self.read(ops.where(given == FREE, drawn, given), states)
            weights = weights_of(logits, options)
            drawn = first_beyond(weights, ops.take(uniforms, step))
            chance, own = (ops.take(each / ops.sum(each), drawn) for each in (weights, ops.softmax(logits)))
            values = zip(found, (drawn, chance, own), strict=True)
            found = [ops.slice_update(row, [step], ops.reshape(value, (1,))) for row, value in values]
            return step + 1, drawn, states, found

        found = [ops.zeros((BLOCK,), dtype) for dtype in ("int32", "float32", "float32")]
        start = (ops.zeros((), "int32"), drawn, states, found)
        _, drawn, states, found = ops.while_loop(go_on, read_and_draw, start)
        return found, drawn, states

    def read(self, index, states):
        """Take one step: from an id (scalar) and states to logits `(vocabulary,)` float32 and a list of new states."""
        logits, *states = self.step_model([ops.reshape(index, (1, 1)), *states])
        return ops.cast(ops.reshape(logits, (-1,)), "float32"), states


def weights_of(logits, options):
    """Compute what is drawn from, in proportion: `rnn_course.decoding.distribution` in compiled code.

    Args:
        logits: `(vocabulary,)`.
        options: `(3,)`: temperature, top-k (the vocabulary's size or more: all), top-p (1: all).

    Returns:
        `(vocabulary,)`, from 0 to 1; 0 for padding, unknown and what is filtered out.
    """
    temperature, count, mass = (ops.take(options, place) for place in range(3))
    size = logits.shape[-1]
    logits = ops.where(ops.arange(size) < NEVER_DRAWN, -np.inf, logits)
    filtered = ops.logical_or(count < size, mass < 1)
    kept = ops.cond(filtered, lambda: keep_likely(logits, temperature, count, mass), lambda: ops.isfinite(logits))
    return ops.where(kept, ops.exp((logits - ops.max(logits)) / temperature), 0.0)


def keep_likely(logits, temperature, count, mass):
    """Tell which choices pass top-k and then top-p: those before some place in the order from the most likely down.

    Args:
        logits: `(vocabulary,)`.
        temperature: scalar, which top-p heeds.
        count: scalar, how many choices stay at most.
        mass: scalar, which share of the probability of these stays.

    Returns:
        `(vocabulary,)` bool.
    """
    ranked = -ops.sort(-logits)
    places = ops.cast(ops.arange(logits.shape[-1]), "float32")
    weights = ops.where(places < count, ops.exp((ranked - ops.max(logits)) / temperature), 0.0)
    before = ops.cumsum(weights) - weights
    within = ops.logical_or(before < (mass - ROUNDING) * ops.sum(weights), mass >= 1)
    stay = ops.maximum(ops.sum(ops.cast(ops.logical_and(within, places < count), "float32")), 1.0)
    last = ops.take(ranked, ops.cast(stay, "int32") - 1)
    above, equal = logits > last, logits == last
    room = stay - ops.sum(ops.cast(above, "float32"))  # for those that are as likely as the last one: the first of them
    return ops.logical_or(above, ops.logical_and(equal, ops.cumsum(ops.cast(equal, "float32")) <= room))


def first_beyond(weights, uniform):
    """Look a number up in a cumulative distribution: `rnn_course.decoding.choose` in compiled code.

    Args:
        weights: `(vocabulary,)`, 0 or more.
        uniform: scalar from 0 to 1.

    Returns:
        A scalar, int32: the first index at which the sum of the weights exceeds this share of all.
    """
    possible, reached = weights > 0, ops.cumsum(weights)
    whole = ops.max(ops.where(possible, reached, 0.0))
    beyond = ops.logical_or(reached > uniform * whole, reached >= whole)  # float32 may round a number up to 1
    return ops.cast(ops.argmax(ops.logical_and(possible, beyond)), "int32")


def _options(temperature, top_k, top_p, greedy, rng):
    """Put the options into one array `(3,)`; refuse those that contradict each other."""
    if greedy and (temperature, top_k, top_p) != (1.0, None, None):
        raise ValueError(
            f"greedy takes the most likely character every time, and temperature={temperature}, top_k={top_k}, "
            f"top_p={top_p} would change nothing. Leave them out, or leave greedy out."
        )
    if not greedy and rng is None:
        raise ValueError("rng is missing. Pass numpy.random.default_rng(seed): the same seed draws the same text.")
    distribution(np.zeros(1), temperature=temperature, top_k=top_k, top_p=top_p)  # refuses what makes no sense
    count = 1 if greedy else (top_k or np.inf)
    smallest = np.finfo("float32").tiny  # a temperature that is 0 in float32 would divide by it
    return np.array([max(temperature, smallest), count, top_p or 1.0], "float32")


def _refuse_words(vocabulary):
    """Raise ValueError unless every token is one character."""
    words = [token for token in vocabulary.tokens[NEVER_DRAWN:] if len(token) != 1]
    if words:
        raise ValueError(
            f"The vocabulary holds {words[0]!r}, which is no single character. "
            "Build it from characters: Vocabulary.from_texts([list(text)])."
        )


def _refuse_model(model, step_model, vocabulary):
    """Raise ValueError unless the model goes from ids to logits over the vocabulary."""
    given, answer, size = step_model.inputs[0].shape, step_model.outputs[0].shape, len(vocabulary)
    if len(given) != 2:
        raise ValueError(
            f"Model {model.name!r} reads {tuple(model.inputs[0].shape)}, expected (batch, time) character ids. "
            "Begin it with an Embedding."
        )
    if answer[-1] != size:
        raise ValueError(
            f"Model {model.name!r} ends in {tuple(model.outputs[0].shape)}, expected (…, {size}): one logit for each "
            f"of the {size} entries of the vocabulary. Pass the vocabulary that it was trained with."
        )
    last = model.layers[-1]
    if isinstance(last, keras.layers.Softmax) or getattr(last, "activation", None) is keras.activations.softmax:
        raise ValueError(
            f"Model {model.name!r} ends in a softmax (layer {last.name!r}), expected logits. "
            "Build it without, and train with from_logits=True."
        )

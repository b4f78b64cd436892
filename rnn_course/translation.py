"""Let a trained translator write: greedy and beam search, the whole loop inside one compiled function.

The model of `rnn_course.models.build_translator` is trained on whole sentences. To translate, its parts are called one
step at a time: the encoder once, then decoder, attention and logits for each word. All sentences of a batch and all
their hypotheses go through the loop side by side. `rnn_course.decoding.beam_search` is the same search in plain NumPy.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from rnn_course.sequences import pad
from rnn_course.words import END, START, join_words, split_words

PARTS = ("source", "encoder", "state_1", "target_embedding", "decoder", "combined", "norm")


@dataclass(frozen=True, eq=False)
class Translated:
    """A sentence that a model wrote, with what it read. `str` gives the text.

    Attributes:
        text: the translation as one writes it; "<unk>" stands for a word that is not in the target vocabulary.
        tokens: its tokens as the model wrote them, without start and end.
        score: the logarithm of its probability in nats, divided by the number of its tokens (the end counted) to the
            power of `length_penalty`; the search ranks by it.
        log_probability: the logarithm of its probability, in nats.
        alignment: `(target, source)` float32, how much of each source token was read for each of `tokens`; `None` for
            a model without attention.
        source_tokens: the tokens that were read.
        unknown: those of them that are not in the source vocabulary; the model read "<unk>" in their places.
        finished: False where the model had not written an end when the loop stopped.
    """

    text: str
    tokens: tuple[str, ...]
    score: float
    log_probability: float
    alignment: np.ndarray | None
    source_tokens: tuple[str, ...]
    unknown: tuple[str, ...]
    finished: bool

    def __str__(self):
        """Return the translation."""
        return self.text

    def __repr__(self):
        """Return a short form that prints no array."""
        unknown = f", unknown: {', '.join(self.unknown)}" if self.unknown else ""
        return f"Translated({self.text!r}, score {self.score:.2f}{unknown})"


class Translator:
    """Translates with a trained model; compiled at the first sentence.

    It shares its weights with the model: train on, and it translates with what was learned since.

    Args:
        model: a Keras model of `build_translator`.
        source_vocabulary: the `Vocabulary` that the source was encoded with.
        target_vocabulary: the target's, which holds `START` and `END` of `rnn_course.words`.
        split: a function that cuts a source sentence into tokens.
        join: a function that puts target tokens together.
        longest_source: the most tokens that a sentence may have; longer ones are refused, not cut.

    Raises:
        ValueError: where the model lacks a part, a vocabulary does not fit it, or the target's has no start or end.
    """

    def __init__(
        self, model, source_vocabulary, target_vocabulary, *, split=split_words, join=join_words, longest_source=100
    ):
        """Take the model apart; nothing is compiled yet."""
        _refuse_model(model, source_vocabulary, target_vocabulary)
        self.source_vocabulary, self.target_vocabulary = source_vocabulary, target_vocabulary
        self.split, self.join, self.longest_source = split, join, longest_source
        self._model, self._loops = model, {}

    def translate(self, text, **options):
        """Translate one sentence.

        Args:
            text: a string, the sentence.
            options: those of `translate_all`.

        Returns:
            A `Translated`.

        Raises:
            ValueError: an empty sentence, one that is too long, or options that make no sense.
        """
        return self.translate_all([text], **options)[0]

    def translate_all(self, texts, *, width=4, length_penalty=1.0, longest=50, batch_size=128):
        """Translate sentences, those of similar length side by side.

        Args:
            texts: list of strings, the sentences.
            width: hypotheses that are kept at every step; 1 is greedy search.
            length_penalty: a number from 0 on. Hypotheses are ranked by their log probability divided by length to this
                power: 0 favors short ones, 1 compares the mean log probability of a token (Cho et al. 2014).
            longest: the most tokens that are written, the end included.
            batch_size: sentences that are translated at once.

        Returns:
            A list of `Translated`, in the order of `texts`.

        Raises:
            ValueError: an empty sentence, one that is too long, or options that make no sense.
        """
        _refuse_options(width, length_penalty, longest, batch_size, len(self.target_vocabulary))
        if isinstance(texts, str):
            raise ValueError(f"texts is the string {texts[:40]!r}; pass a list of sentences, or call `translate`.")
        read = [self._tokens_of(text) for text in texts]
        order = sorted(range(len(read)), key=lambda index: len(read[index]))
        found = {}
        for start in range(0, len(order), batch_size):
            part = order[start : start + batch_size]
            written = self._search([read[index] for index in part], width, longest)
            for row, index in enumerate(part):
                found[index] = self._best(read[index], [array[row] for array in written], length_penalty)
        return [found[index] for index in range(len(read))]

    def _tokens_of(self, text):
        """Cut a sentence into its tokens; refuse what cannot be translated."""
        tokens = self.split(text)
        if not tokens:
            raise ValueError(f"There is nothing to translate in {text!r}. Pass a sentence with at least one word.")
        if len(tokens) > self.longest_source:
            raise ValueError(
                f"The sentence has {len(tokens)} tokens, more than the {self.longest_source} allowed: {text[:60]!r}… "
                "Cut it into sentences, or pass a larger `longest_source` to the Translator."
            )
        return tokens

    def _search(self, sentences, width, longest):
        """Run the loop: tokens, log probabilities, lengths, whether finished, and weights, a row for each sentence."""
        if (width, longest) not in self._loops:
            loop = BeamLoop(self._model, self.target_vocabulary, width=width, longest=longest)
            loop.compile(jit_compile=False)  # sentences come in many lengths, and XLA would compile for each of them
            self._loops[width, longest] = loop
        ids = pad([self.source_vocabulary.encode(tokens) for tokens in sentences])
        found = self._loops[width, longest].predict_on_batch(ids)
        if np.isnan(found[1]).any():
            raise ValueError("The model's logits are not finite: its weights have run away. Look at the training loss.")
        return found

    def _best(self, source_tokens, written, length_penalty):
        """Pick the best of the hypotheses of one sentence."""
        ids, log_probabilities, lengths, finished, *weights = written
        scores = log_probabilities / np.maximum(lengths, 1) ** length_penalty
        best = int(scores.argmax())
        count = int(lengths[best]) - bool(finished[best])
        tokens = tuple(self.target_vocabulary.tokens[index] for index in ids[best, :count])
        known = self.source_vocabulary.encode(source_tokens)
        return Translated(
            text=self.join(tokens),
            tokens=tokens,
            score=float(scores[best]),
            log_probability=float(log_probabilities[best]),
            alignment=weights[0][best, :count, : len(source_tokens)] if weights else None,
            source_tokens=tuple(source_tokens),
            unknown=tuple(token for token, index in zip(source_tokens, known, strict=True) if index == 1),
            finished=bool(finished[best]),
        )


def translate(model, text, vocabularies, **options):
    """Translate one sentence with a trained model. For many, make a `Translator` and keep it: it compiles once.

    Args:
        model: a Keras model of `build_translator`.
        text: a string, the sentence.
        vocabularies: the `Vocabulary` of the source and that of the target, as a tuple; no arrays.
        options: those of `Translator.translate_all`.

    Returns:
        A `Translated`: the text, its score, the alignment.

    Raises:
        ValueError: what `Translator` refuses.
    """
    return Translator(model, *vocabularies).translate(text, **options)


class BeamLoop(keras.Model):
    """Encode sentences, and write `width` translations of each: one call, up to `longest` steps.

    Args:
        model: a Keras model of `build_translator`.
        vocabulary: the target's `Vocabulary`.
        width: hypotheses that are kept of each sentence.
        longest: the most tokens that are written.
    """

    def __init__(self, model, vocabulary, *, width, longest):
        """Take the model's parts, whose weights become this model's own."""
        super().__init__(name="beam_loop")
        self.width, self.longest, self.size = width, longest, len(vocabulary)
        self.begin, self.end = vocabulary.encode([START, END])
        self.parts = {name: model.get_layer(name) for name in PARTS[3:]}
        names = {layer.name for layer in model.layers}
        self.attention = model.get_layer("attention") if "attention" in names else None
        starts = [model.get_layer(name).output for name in ("state_1", "state_2") if name in names]
        memory, summary = model.get_layer("encoder").output[0], model.get_layer("summary").output
        self.encoder = keras.Model(model.get_layer("source").output, [memory, summary, *starts])

    def call(self, source):
        """Translate.

        Args:
            source: `(batch, source)` int token ids, 0 is padding.

        Returns:
            A list: ids `(batch, width, longest)`, 0 after the end; log probabilities `(batch, width)` float32; lengths
            `(batch, width)`, the end counted; whether finished, `(batch, width)` bool; with attention also the weights
            `(batch, width, longest, source)`.
        """
        rows = ops.shape(source)[0]
        reading = self.read(source)
        states = [ops.repeat(state, self.width, axis=0) for state in reading.pop("states")]
        beams = (rows, self.width)
        scores = ops.where(ops.arange(self.width) == 0, 0.0, -np.inf) + ops.zeros(beams)
        written = ops.zeros((*beams, self.longest), "int32")
        weights = ops.zeros((*beams, self.longest, ops.shape(source)[1] if self.attention else 1))
        start = (0, written, scores, ops.zeros(beams, "int32"), ops.zeros(beams, "bool"), weights, *states)

        def go_on(step, written, scores, lengths, finished, *rest):
            return ops.logical_and(step < self.longest, ops.logical_not(ops.all(finished)))

        def write(step, *search):
            return step + 1, *self.write(step, reading, *search)

        _, written, scores, lengths, finished, weights, *_ = ops.while_loop(go_on, write, start)
        return [written, scores, lengths, finished, *([weights] if self.attention else [])]

    def read(self, source):
        """Encode `(batch, source)` ids: a dict of what stays the same, a row for each hypothesis, and first states."""
        memory, summary, *states = self.encoder(source)
        reading = {"summary": summary}
        if self.attention:
            reading = {"memory": memory, "keys": self.attention.project(memory), "real": ops.not_equal(source, 0)}
        return {name: ops.repeat(value, self.width, axis=0) for name, value in reading.items()} | {"states": states}

    def write(self, step, reading, written, scores, lengths, finished, weights, *states):
        """Write one token of every unfinished hypothesis, and keep the best of each sentence.

        Args:
            step: scalar, from 0.
            reading: the dict that `read` returns, each `(batch * width, …)`.
            written: `(batch, width, longest)` ids so far.
            scores: `(batch, width)` their log probabilities.
            lengths: `(batch, width)` tokens of each.
            finished: `(batch, width)` bool.
            weights: `(batch, width, longest, source)`.
            states: the decoder's, each `(batch * width, units)`.

        Returns:
            The tuple of these from `written` on, with their shapes, one step on.
        """
        previous = ops.where(step == 0, self.begin, ops.take(written, ops.maximum(step - 1, 0), axis=2))
        logits, seen, states = self.decode(ops.reshape(previous, (-1,)), reading, states)
        chances = ops.reshape(ops.log_softmax(self.allowed(logits)), (-1, self.width, self.size))
        resting = ops.where(ops.arange(self.size) == self.end, 0.0, -np.inf)  # the finished go on as they are
        chances = ops.where(finished[:, :, None], resting, chances)
        totals = ops.reshape(scores[:, :, None] + chances, (-1, self.width * self.size))
        scores, chosen = ops.top_k(totals, self.width)  # (batch, width)
        beam, token = chosen // self.size, ops.cast(chosen % self.size, "int32")
        states = [self.follow(state, beam) for state in states]
        written, lengths, finished, weights, seen = (
            pick(each, beam) for each in (written, lengths, finished, weights, self.by_beam(seen))
        )
        here = ops.arange(self.longest) == step
        written = ops.where(here, ops.where(finished, 0, token)[:, :, None], written)
        weights = ops.where(here[:, None], ops.where(finished[:, :, None], 0.0, seen)[:, :, None], weights)
        lengths = lengths + ops.cast(ops.logical_not(finished), "int32")
        return written, scores, lengths, ops.logical_or(finished, token == self.end), weights, *states

    def decode(self, previous, reading, states):
        """Take one step: from tokens `(rows,)` to logits `(rows, vocabulary)`, weights `(rows, source)`, new states."""
        parts = self.parts
        hidden, states = parts["decoder"].cell(parts["target_embedding"](previous), list(states))
        if self.attention:
            query = hidden[:, None]
            context, seen = self.attention.attend(query, reading["keys"], reading["memory"], reading["real"])
            context, seen = context[:, 0], seen[:, 0]
        else:
            context, seen = reading["summary"], ops.zeros_like(hidden[:, :1])
        combined = parts["norm"](parts["combined"](ops.concatenate([hidden, context], axis=-1)))
        logits = parts["target_embedding"](combined, reverse=True)
        return ops.cast(logits, "float32"), ops.cast(seen, "float32"), list(states)

    def allowed(self, logits):
        """Rule out padding and the start token in logits `(rows, vocabulary)`."""
        ids = ops.arange(self.size)
        return ops.where(ops.logical_or(ids == 0, ids == self.begin), -np.inf, logits)

    def by_beam(self, values):
        """Reshape `(batch * width, …)` to `(batch, width, …)`."""
        return ops.reshape(values, (-1, self.width, *ops.shape(values)[1:]))

    def follow(self, state, beam):
        """Give each hypothesis the state `(batch * width, units)` of the one it goes on from, `(batch, width)`."""
        return ops.reshape(pick(self.by_beam(state), beam), ops.shape(state))


def pick(values, beam):
    """Take the values of other hypotheses of the same sentence.

    Args:
        values: `(batch, width, …)`.
        beam: `(batch, width)` indices of hypotheses.

    Returns:
        `(batch, width, …)`.
    """
    index = ops.reshape(beam, (*ops.shape(beam), *([1] * (len(values.shape) - 2))))
    return ops.take_along_axis(values, index, axis=1)


def _refuse_model(model, source_vocabulary, target_vocabulary):
    """Raise ValueError unless the model can be taken apart and the vocabularies are its own."""
    missing = [name for name in PARTS if name not in {layer.name for layer in model.layers}]
    if missing:
        raise ValueError(
            f"Model {model.name!r} has no layers called {', '.join(missing)}. Pass a model of `build_translator`, "
            "whose parts a Translator calls one step at a time."
        )
    for side, vocabulary in (("source", source_vocabulary), ("target", target_vocabulary)):
        size = model.get_layer(f"{side}_embedding").input_dim
        if size != len(vocabulary):
            raise ValueError(
                f"The model knows {size} {side} tokens and the {side} vocabulary has {len(vocabulary)}. Pass the "
                "vocabulary that it was trained with, the source's first."
            )
    if 1 in target_vocabulary.encode([START, END]):
        raise ValueError(
            f"The target vocabulary lacks {START!r} or {END!r}. Build it from targets that begin and end with them."
        )


def _refuse_options(width, length_penalty, longest, batch_size, size):
    """Raise ValueError for options that make no sense."""
    whole = {"width": width, "longest": longest, "batch_size": batch_size}
    wrong = {name: value for name, value in whole.items() if value != int(value) or value < 1}
    if wrong or not 0 <= length_penalty < np.inf or width > size - 2:
        raise ValueError(
            f"width={width}, length_penalty={length_penalty}, longest={longest}, batch_size={batch_size} is not "
            f"possible; pass whole numbers from 1 on (width at most {size - 2}), and a length_penalty from 0 on."
        )

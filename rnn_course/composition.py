"""Let a network of music write: go on from an opening, or find the voices below a given melody."""

from dataclasses import dataclass

import keras
import numpy as np

from rnn_course.decoding import log_softmax, sample
from rnn_course.frames import list_choices, press_choices
from rnn_course.streaming import Stream

LOWEST = 21  # MIDI number of key 0, the lowest of a piano


@dataclass(frozen=True, eq=False)
class Composed:
    """A tune that a network wrote.

    Attributes:
        roll: `(time, keys)` bool, opening included.
        nats: `(time,)` float64, what each frame cost the network as it is: temperature 1, nothing ruled out.
        opening: an int, how many frames were given.
    """

    roll: np.ndarray
    nats: np.ndarray
    opening: int

    def __repr__(self):
        """Return a short form that prints no array."""
        return f"Composed({len(self.roll)} frames, {self.opening} of them given, {self.nats.mean():.2f} nats a frame)"


class Composer:
    """Writes with a network of `build_voice_model`; compiled at the first tune.

    It shares its weights with the model: train on, and it writes with what was learned since. The recurrent layer goes
    one frame at a time, so a tune of any length takes the same memory.

    Args:
        model: a model of the layers of `build_voice_model`: inputs heard `(batch, time, keys)` and choices
            `(batch, time, slots)`, a layer "memory" between them, and logits `(batch, time, slots, 1 + keys)`.
        lowest: MIDI number of key 0.

    Raises:
        ValueError: where the model is of another kind.
    """

    def __init__(self, model, *, lowest=LOWEST):
        """Take the model apart into what listens and what chooses; takes no arrays."""
        names = [layer.name for layer in model.layers]
        if "memory" not in names or len(model.inputs) != 2:
            raise ValueError(
                f"The model has {len(model.inputs)} inputs and the layers {names}. Pass one of `build_voice_model`."
            )
        memory = model.get_layer("memory").output
        self.keys, self.slots, self.lowest = model.inputs[0].shape[-1], model.inputs[1].shape[-1], lowest
        self._listener = Stream(keras.Model(model.inputs[0], memory))
        self._chooser = keras.Model([memory, model.inputs[1]], model.output)
        self._chooser.compile(jit_compile=True)

    def compose(
        self,
        opening=None,
        *,
        frames,
        melody=None,
        count=1,
        temperature=1.0,
        top_p=None,
        ranges=None,
        hold=None,
        rng,
    ):
        """Write tunes side by side.

        Args:
            opening: `(time, keys)` bool, frames to begin with; none when None.
            frames: int, how many frames each tune has, opening included; with a melody, at most as many as that has.
            melody: `(time,)` MIDI numbers of the highest voice, one a frame, 0 where all is silent; free when None.
            count: int, how many tunes.
            temperature: a number above 0; below 1 the likely becomes likelier.
            top_p: draw from the smallest set that holds this share of the probability; from all when None.
            ranges: for each slot a pair of MIDI numbers, `(slots, 2)`, that its key must lie between; no limits when
                None. A slot for which no key is left stays silent.
            hold: `{unit: value}`: units of the recurrent layer's output that are held at a value in all frames that are
                written; none when None.
            rng: a `numpy.random.Generator`, or a seed for one.

        Returns:
            A list of `count` `Composed`, each of `frames` frames.

        Raises:
            ValueError: an opening of other keys or longer than the tune, a melody that is too short or leaves the keys,
                ranges that do not fit, a unit that the layer does not have, or options that
                `rnn_course.decoding.distribution` refuses.
        """
        opening = np.zeros((0, self.keys), bool) if opening is None else np.asarray(opening, bool)
        given = self._given(opening, frames, melody)
        self._refuse_units(hold or {})
        allowed = self._allowed(ranges)
        choices = np.zeros((count, frames, self.slots), "int32")
        nats = np.zeros((count, frames))
        state = self._listener.initial_state(count)
        heard = np.zeros((count, self.keys), "float32")
        rng = np.random.default_rng(rng)
        for time in range(frames):
            memory, state = self._listener.step(heard, state)
            if hold and time >= len(opening):
                memory, state = _held(memory, state, hold)
            options = {"temperature": temperature, "top_p": top_p, "rng": rng}
            choices[:, time], nats[:, time] = self._choose(memory, given[time], allowed, options)
            heard = press_choices(choices[:, time], keys=self.keys).astype("float32")
        rolls = press_choices(choices, keys=self.keys)
        return [Composed(roll, own, len(opening)) for roll, own in zip(rolls, nats, strict=True)]

    def _choose(self, memory, given, allowed, options):
        """Choose one frame of every tune, key after key; return choices (count, slots) and what they cost (count,)."""
        choices, nats = np.zeros((len(memory), self.slots), "int32"), np.zeros(len(memory))
        rows = np.arange(len(memory))
        for slot in range(self.slots):
            logits = self._chooser.predict_on_batch([memory[:, None], choices[:, None]])[:, 0, slot].astype("float64")
            if given[slot] is None:
                choices[:, slot] = sample(np.where(allowed[slot], logits, -np.inf), **options)
            else:
                choices[:, slot] = given[slot]
            nats -= log_softmax(logits)[rows, choices[:, slot]]
        return choices, nats

    def _given(self, opening, frames, melody):
        """What is not free, frame by frame: for each a choice for every slot, or None where it is to be made."""
        if opening.ndim != 2 or opening.shape[1] != self.keys or not len(opening) <= frames:
            raise ValueError(
                f"Came an opening of shape {opening.shape} for {frames} frames. Pass (time, {self.keys}) bool, at most "
                "as long as the tune."
            )
        given = [[*row] for row in list_choices(opening, slots=self.slots)]
        if melody is None:
            return given + [[None] * self.slots] * (frames - len(opening))
        notes = np.asarray(melody)
        choices = np.where(notes > 0, notes - self.lowest + 1, 0)
        if notes.ndim != 1 or len(notes) < frames or ((choices < 0) | (choices > self.keys)).any():
            held = f" with notes from {notes.min()} to {notes.max()}" if notes.size else ""
            raise ValueError(
                f"Came a melody of shape {notes.shape}{held} for {frames} frames. Pass (time,) MIDI numbers "
                f"from {self.lowest} to {self.lowest + self.keys - 1}, 0 for silence."
            )
        return given + [[int(choice)] + [None] * (self.slots - 1) for choice in choices[len(opening) : frames]]

    def _allowed(self, ranges):
        """Which choices each slot may make, (slots, 1 + keys) bool; "no further key" is always one of them."""
        if ranges is None:
            return np.ones((self.slots, 1 + self.keys), bool)
        ranges = np.asarray(ranges)
        if ranges.shape != (self.slots, 2):
            raise ValueError(f"Came ranges of shape {ranges.shape}. Pass ({self.slots}, 2): lowest and highest number.")
        notes = np.arange(self.lowest, self.lowest + self.keys)
        inside = (notes >= ranges[:, :1]) & (notes <= ranges[:, 1:])
        return np.concatenate([np.ones((self.slots, 1), bool), inside], axis=1)

    def _refuse_units(self, hold):
        """Raise an error unless the recurrent layer has all units that are to be held; takes and returns no arrays."""
        units = self._listener.ports.sizes[0]
        if any(not 0 <= unit < units for unit in hold):
            raise ValueError(f"Units {sorted(hold)} are to be held; the recurrent layer has units 0 to {units - 1}.")


def _held(memory, state, hold):
    """Put values into units, (count, units), of what is handed on and of the hidden state that is carried over."""
    units, values = [*hold], [*hold.values()]
    memory = np.array(memory)
    memory[:, units] = values
    arrays = []
    for name, array in zip(state.names, state.arrays, strict=True):
        array = np.array(array)
        if name.endswith("hidden"):
            array[:, units] = values
        arrays.append(array)
    return memory, state._replace(arrays=tuple(arrays))

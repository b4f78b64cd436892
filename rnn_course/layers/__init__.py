"""Keras layers that Keras lacks.

* `fused`: `FusedLSTM`, `FusedGRU`, `FusedSimpleRNN`, which train faster. `cells`: `recurrent_layer`, by name.
* `attention`: `CrossAttention`. `pooling`: `MaskedPooling`. `folded`: `FoldedTimeDistributed`.
* `subword`: `SubwordEmbedding`. `tied`: `TiedEmbedding`. `word_dropout`: `WordDropout`.
* `candidates`: `CandidateLogits`. `keys`: `PressedKeys`, `FallingChoices`.
"""

from rnn_course.layers.attention import CrossAttention
from rnn_course.layers.candidates import CandidateLogits
from rnn_course.layers.cells import recurrent_layer
from rnn_course.layers.folded import FoldedTimeDistributed
from rnn_course.layers.fused import FusedGRU, FusedLSTM, FusedSimpleRNN
from rnn_course.layers.keys import FallingChoices, PressedKeys
from rnn_course.layers.pooling import MaskedPooling
from rnn_course.layers.subword import SubwordEmbedding
from rnn_course.layers.tied import TiedEmbedding
from rnn_course.layers.word_dropout import WordDropout

__all__ = [
    "CandidateLogits",
    "CrossAttention",
    "FallingChoices",
    "FoldedTimeDistributed",
    "FusedGRU",
    "FusedLSTM",
    "FusedSimpleRNN",
    "MaskedPooling",
    "PressedKeys",
    "SubwordEmbedding",
    "TiedEmbedding",
    "WordDropout",
    "recurrent_layer",
]

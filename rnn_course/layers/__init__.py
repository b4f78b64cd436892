"""Keras layers that Keras lacks.

word_dropout: `WordDropout`. subword: `SubwordEmbedding`. pooling: `MaskedPooling`.
"""

from rnn_course.layers.pooling import MaskedPooling
from rnn_course.layers.subword import SubwordEmbedding
from rnn_course.layers.word_dropout import WordDropout

__all__ = ["MaskedPooling", "SubwordEmbedding", "WordDropout"]

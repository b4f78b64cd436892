"""Keras layers that Keras lacks.

word_dropout: `WordDropout`. subword: `SubwordEmbedding`. pooling: `MaskedPooling`. attention: `CrossAttention`.
"""

from rnn_course.layers.attention import CrossAttention
from rnn_course.layers.pooling import MaskedPooling
from rnn_course.layers.subword import SubwordEmbedding
from rnn_course.layers.word_dropout import WordDropout

__all__ = ["CrossAttention", "MaskedPooling", "SubwordEmbedding", "WordDropout"]

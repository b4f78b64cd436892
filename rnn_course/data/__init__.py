"""The data room: what the lessons learn from, real or made, and readers for your own files.

load_sentiment        sentences with a sentiment, or text messages with spam among them
make_reviews          reviews from a seeded grammar, with the truth about every word
read_labelled_text    your own CSV or TSV file of texts with a label each

Every `load_<task>(source="auto")` takes the real set where it can be had and says which it took; "sample" is
bundled and touches no network. `registry` knows every file's address, sum, license and citation, `cache` fetches
and verifies it, `samples` writes the bundled files anew.
"""

from rnn_course.data.cache import DataError
from rnn_course.data.labelled_text import LabelledText, Sentiment, read_labelled_text
from rnn_course.data.reviews import make_reviews
from rnn_course.data.sentiment import load_sentiment

__all__ = [
    "DataError",
    "LabelledText",
    "Sentiment",
    "load_sentiment",
    "make_reviews",
    "read_labelled_text",
]

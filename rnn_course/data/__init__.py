"""The data room: what the lessons learn from, real or made, and readers for your own files.

* `load_sentiment`: sentences with a sentiment, or text messages with spam among them
* `make_reviews`: reviews from a seeded grammar, with the truth about every word
* `make_adding_problem`: rows of numbers, two of them marked: their sum is asked for
* `make_copy_memory`: symbols to be repeated after a delay; `copy_memory_guess`: what that costs without a memory
* `make_brackets`: rows of brackets and letters, with the truth about how many are open
* `load_text`: running text for character models: plays, real or of the course's own grammar
* `make_play`: that grammar's plays, with the truth about every character and its exact probability
* `sample_play`: the bundled one, with its truth
* `make_sensor_stream`: a sensor's values without end, with the truth about its regimes and where they change
* `load_translation`: Spanish sentences with their English translations
* `make_sentence_pairs`: such pairs from a seeded grammar, with the truth about which word stands for which
* `load_chorales`: chorales for four voices, as rolls of the piano's keys and as voices
* `make_chorales`: such chorales from a grammar of functional harmony, with the truth about key and chord
* `to_voices`: deals the notes of a roll out to voices; `to_roll`: back; `transpose`: the same tune higher or lower
* `load_splice_sites`: windows of DNA around the places where genes are cut
* `make_splice_sites`: such windows from a seeded grammar, with the truth about where each motif is
* `make_promoters`: DNA of many lengths with motifs whose order and distance decide, with that truth
* `load_clips`: handwritten digits or drawn shapes that move, ten motions, with the truth about every frame
* `make_clips`: the same from pictures of your own; `draw_shapes`: such pictures
* `reverse_of`: the motion that a clip shows when it is played backwards
* `load_poses`: people who do something, as 15 joints a frame; read without running the pickle they come in
* `make_stick_figures`: drawn figures who do something, with the truth about their tempo
* `split_sequences`: sequences in three splits without near copies across; `overlap_groups`: which are near copies
* `read_midi`: your own MIDI file, or a folder of them, on a grid; `split_tunes`: such tunes in three splits
* `read_labelled_text`: your own CSV or TSV file of texts with a label each
* `read_sentence_pairs`: your own file of sentences with their translations, in any two languages
* `read_fasta`: your own FASTA files of DNA or protein; `read_sequences`: a CSV or TSV file of such
* `read_clips`: your own videos, a folder for each class, read from disk clip by clip
* `read_text`: your own text file, cut in two by position

Every `load_<task>(source="auto")` takes the real set where it can be had and says which it took; "sample" is
bundled and touches no network. `registry` knows every file's address, sum, license and citation, `cache` fetches
and verifies it, `sources` says what "auto" takes, `samples` writes the bundled files anew.
"""

from rnn_course.data.bilingual import make_sentence_pairs
from rnn_course.data.brackets import Brackets, make_brackets
from rnn_course.data.cache import DataError
from rnn_course.data.chorales import Chorales, Harmony, Tunes, load_chorales, split_tunes, to_roll, to_voices, transpose
from rnn_course.data.clip_files import ClipFiles, read_clips
from rnn_course.data.harmony import chord_notes, make_chorales
from rnn_course.data.labelled_sequences import (
    LabelledSequences,
    PlantedMotifs,
    SequenceSplits,
    overlap_groups,
    split_sequences,
)
from rnn_course.data.labelled_text import LabelledText, Sentiment, read_labelled_text
from rnn_course.data.long_memory import LongMemory, copy_memory_guess, make_adding_problem, make_copy_memory
from rnn_course.data.midi import MidiTunes, read_midi
from rnn_course.data.motions import MOTIONS, Clips, ClipTruth, make_clips, reverse_of
from rnn_course.data.moving_digits import ClipSplits, load_clips
from rnn_course.data.moving_shapes import draw_shapes
from rnn_course.data.planted_motifs import make_promoters, make_splice_sites
from rnn_course.data.plays import Play, make_play, sample_play
from rnn_course.data.poses import BONES, Poses, PoseSplits, load_poses
from rnn_course.data.reviews import make_reviews
from rnn_course.data.sensors import SensorStream, make_sensor_stream
from rnn_course.data.sentence_pairs import SentencePairs, Translation, read_sentence_pairs, split_pairs
from rnn_course.data.sentiment import load_sentiment
from rnn_course.data.sequence_files import read_fasta, read_sequences
from rnn_course.data.splice_sites import load_splice_sites
from rnn_course.data.stick_figures import JOINTS, PoseTruth, make_stick_figures
from rnn_course.data.text import Text, load_text, read_text
from rnn_course.data.translation import load_translation

__all__ = [
    "BONES",
    "JOINTS",
    "MOTIONS",
    "Brackets",
    "Chorales",
    "ClipFiles",
    "ClipSplits",
    "ClipTruth",
    "Clips",
    "DataError",
    "Harmony",
    "LabelledSequences",
    "LabelledText",
    "LongMemory",
    "MidiTunes",
    "PlantedMotifs",
    "Play",
    "PoseSplits",
    "PoseTruth",
    "Poses",
    "SensorStream",
    "SentencePairs",
    "Sentiment",
    "SequenceSplits",
    "Text",
    "Translation",
    "Tunes",
    "chord_notes",
    "copy_memory_guess",
    "draw_shapes",
    "load_chorales",
    "load_clips",
    "load_poses",
    "load_sentiment",
    "load_splice_sites",
    "load_text",
    "load_translation",
    "make_adding_problem",
    "make_brackets",
    "make_chorales",
    "make_clips",
    "make_copy_memory",
    "make_play",
    "make_promoters",
    "make_reviews",
    "make_sensor_stream",
    "make_sentence_pairs",
    "make_splice_sites",
    "make_stick_figures",
    "overlap_groups",
    "read_clips",
    "read_fasta",
    "read_labelled_text",
    "read_midi",
    "read_sentence_pairs",
    "read_sequences",
    "read_text",
    "reverse_of",
    "sample_play",
    "split_pairs",
    "split_sequences",
    "split_tunes",
    "to_roll",
    "to_voices",
    "transpose",
]

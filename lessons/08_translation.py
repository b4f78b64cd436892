# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 08. Translation: how much of a sentence fits into one vector?
#
# Two networks read a Spanish sentence and write it in English. They have the same size, learn from the same pairs, and are
# trained in the same way. The first reads the sentence to its end and keeps 256 numbers; then the sentence is gone, and every
# English word must come out of these numbers. The second may, before each word that it writes, look back at all that it read.
#
# **Write down** three guesses. By how much is the second one better, on a scale from 0 to 100? At how many words does the first
# begin to fail? And in the second one, which was never told which word stands for which: can you see it?
#
# **You will**
#
# - find out how a test set leaks into training without a single row being in both;
# - meet three translators that learn nothing, and a score that punishes one wrong word in two very different ways;
# - work out attention on three numbers, and train both networks three times;
# - search for better sentences than the greedy one, until the search is so good that the translations get worse;
# - read the words back from the vector, one position after the other, and see which ones it has lost;
# - hold what attention found against the truth, in a language pair of which everything is known, and take it away;
# - translate sentences of your own.
#
# Minutes on two CPU cores: about ten to run, an hour to read.

# %% [markdown]
# ## Set-up
#
# In Colab the first cell installs the course beside the TensorFlow that is already there; on your own machine it only imports.

# %%
import keras

try:
    import rnn_course
except ImportError:
    # %pip install -q --no-deps "git+https://github.com/rnn-course/rnn_course@v0.1.0" sacrebleu portalocker
    import rnn_course
print(f"rnn_course {rnn_course.__version__}, Keras {keras.__version__}")

# %% [markdown]
# `SOURCE` names the pairs: `"tatoeba_spa_eng"` is real, `"sample"` comes with the course and needs no network, `"auto"` takes
# the real ones where they can be had. `FAST` shrinks the run for tests.

# %% tags=["parameters"]
SOURCE = "auto"
FAST = False
SEEDS = (0, 1, 2)
LONGEST = 10  # words of a sentence, on either side
VOCABULARIES = (8_000, 5_000)  # entries, source and target
SIZES = {"embedding": 192, "units": 256, "dropout": 0.15}
BATCH, LEARNING_RATE, WEIGHT_DECAY = 256, 6e-3, 1e-4
EPOCHS = {"sample": 12}  # what is not 3
CANDIDATES = 1_536  # target words that are asked for in one step of training
BEAM = 4  # sentences that the search keeps
GRAMMAR = {"pairs": 12_000, "epochs": 6, "embedding": 48, "units": 96}  # the small network for the pair of known alignment

# %% [markdown]
# ## Pairs of sentences
#
# The pairs come from Tatoeba, a collection for language learners. We take those of at most ten words a side: more would cost
# more minutes, and ten are enough to see the point. A Spanish sentence may have several translations, and all of them count as
# right. (Their license asks for names, not for fees; still, this page prints no sentence of theirs, only our own.)

# %%
import time
from itertools import pairwise

import numpy as np

from rnn_course.data import load_translation

began = time.perf_counter()
if FAST:
    SEEDS, EPOCHS, SIZES = SEEDS[:1], {"sample": 2}, SIZES | {"embedding": 24, "units": 32}
    GRAMMAR = GRAMMAR | {"pairs": 1_500, "epochs": 2}
data = load_translation(SOURCE)
train, dev = data.train.at_most(LONGEST), data.dev.at_most(LONGEST)

# %% [markdown]
# The test is on every source sentence of the test part that has at most ten words, with all its translations.


# %%
def questions(pairs):
    """Distinct source sentences of at most LONGEST words, and for each all its translations."""
    sources, references = pairs.references()
    kept = [index for index, source in enumerate(sources) if len(source.split()) <= LONGEST]
    return [sources[index] for index in kept], [references[index] for index in kept]


sources, references = questions(data.test)
print(f"{len(data.train.sources):,} pairs to learn from, {len(train.sources):,} of at most {LONGEST} words a side")
print(f"{len(sources):,} test sentences, with {np.mean([len(each) for each in references]):.2f} translations on average")
print(f"from {data.languages[0]} into {data.languages[1]}")

# %% [markdown]
# ## Words and signs, and back again
#
# A network reads numbers, so a sentence is cut into tokens, and what it writes must become a sentence again. The mark `￭` on a
# sign says "no space here", so nothing is lost but the capital at the beginning, which says nothing about its word.

# %%
from rnn_course.words import END, START, join_words, split_words

for text in ("¿Qué tal, Tom?", "I don't know the L'Oréal shop."):
    tokens = split_words(text)
    print(*tokens, sep="  ")
    print(join_words(tokens) == text)

# %% [markdown]
# The vocabularies hold the most frequent tokens of the training sentences. Whatever is rarer is *unknown*, on both sides: the
# network cannot read it, and cannot write it. A target sentence also gets a token for its end, and one that is read before its
# first word.

# %%
from rnn_course.sequences import Vocabulary, pad

source_tokens, target_tokens = ([split_words(text) for text in side] for side in (train.sources, train.targets))
source_words = Vocabulary.from_texts(source_tokens, maximum_size=VOCABULARIES[0])
target_words = Vocabulary.from_texts([[START, *tokens, END] for tokens in target_tokens], maximum_size=VOCABULARIES[1])
print(f"{len(source_words):,} source tokens, {len(target_words):,} target tokens, padding and unknown included")
asked = [token for text in sources for token in split_words(text)]
wanted = [token for texts in references for text in texts for token in split_words(text)]
for name, tokens, words in (("source", asked, source_words), ("target", wanted, target_words)):
    unknown = np.mean([index == 1 for index in words.encode(tokens)])
    print(f"of the {name} tokens of the test sentences {unknown:.1%} are unknown")

# %% [markdown]
# ## A test set leaks without a row in common
#
# How should one cut pairs into training and test? By row, one would think: no row is in both. But a sentence with three
# translations stands in three rows. **Guess** in which share of the test rows one of the two sentences would be known from
# training.

# %%
from rnn_course.data import SentencePairs

everything = SentencePairs(*([text for part in data[:3] for text in part[side]] for side in (0, 1)))
rows = np.random.default_rng(0).permutation(len(everything.sources))
by_row = everything.at(rows[len(data.test.sources) :]), everything.at(rows[: len(data.test.sources)])


def crossing(learned, test):
    """Share of the test rows whose source or target sentence stands in training."""
    known = set(learned.sources), set(learned.targets)
    return np.mean([source in known[0] or target in known[1] for source, target in zip(*test[:2], strict=True)])


leak = crossing(*by_row)
print(f"cut by row: {leak:.1%} of the test rows")
print(f"cut as here: {crossing(data.train, data.test):.1%}")

# %% [markdown]
# Here sentences that are linked by a common translation form one group, and a group is never cut (`split_pairs`). What the leak
# is worth we shall see in a minute, by a translator that can do nothing but remember.
#
# ## A score that counts runs of words
#
# BLEU (Papineni et al. 2002) asks which share of the words of a translation stands in one of the references, and the same for
# runs of two, three and four words; the geometric mean of the four, times a penalty for being too short, times 100. On three
# sentences, against the reference *my sister bought a red car yesterday*:

# %%
from rnn_course.metrics import bleu, chrf

REFERENCE = "my sister bought a red car yesterday"
for text in (
    "my sister bought a red car today",
    "my sister bought the red car yesterday",
    "my sister bought a red car",
):
    found = bleu([text], [[REFERENCE]])
    shares = " ".join(f"{share:5.1f}" for share in found.precisions)
    print(f"{text:40} {shares}   penalty {found.brevity_penalty:.2f}   BLEU {found.score:5.1f}")

# %% [markdown]
# Two translations with one wrong word each, and one scores more than twice as much: a wrong word at the end breaks one run of
# four, a wrong word in the middle breaks all of them. (Where no run of four is right, a small number stands for the zero.) The
# last one says nothing wrong and pays for what it leaves out. So BLEU is for whole test sets, where such accidents average out;
# beside it we report chrF, which counts runs of letters, and the *token accuracy*: how often the next word is right when all
# words before it are given.
#
# ## Three translators that learn nothing
#
# The first copies. The second is a dictionary: for each source word the target word that occurs in the same pairs most
# exclusively (Dice's coefficient, twice the common pairs over the sum of both). **Guess** the BLEU of a word-for-word
# dictionary.

# %%
from collections import Counter

together, of_source, of_target = Counter(), Counter(), Counter()
for left, right in zip(map(set, source_tokens), map(set, target_tokens), strict=True):
    of_source.update(left)
    of_target.update(right)
    together.update((word, other) for word in left for other in right)
dictionary = {}
for (word, other), count in together.items():
    score = 2 * count / (of_source[word] + of_target[other])
    dictionary[word] = max(dictionary.get(word, (0, "")), (score, other))
by_dictionary = [join_words(dictionary.get(token, (0, token))[1] for token in split_words(text)) for text in sources]

# %% [markdown]
# The third answers with the translation of the training sentence that is most like the one asked for: words and pairs of words,
# weighted by how rare they are (TF-IDF), compared by their angle. It remembers everything and understands nothing, so it is also
# the right instrument to measure a leak.

# %%
from sklearn.feature_extraction.text import TfidfVectorizer


def nearest(learned, texts):
    """For each text the target of the training pair whose source is most like it."""
    counter = TfidfVectorizer(tokenizer=split_words, token_pattern=None, lowercase=False, ngram_range=(1, 2))
    known, asked = counter.fit_transform(learned.sources), counter.transform(texts)
    parts = np.array_split(np.arange(len(texts)), 1 + len(texts) // 256)
    likest = np.concatenate([(asked[part] @ known.T).toarray().argmax(axis=1) for part in parts])
    return [learned.targets[index] for index in likest]


row_sources, row_references = questions(by_row[1])
leaked = bleu(nearest(by_row[0], row_sources), row_references).score
baselines = {"copy": sources, "dictionary": by_dictionary, "nearest sentence": nearest(data.train, sources)}
scores = {name: (bleu(texts, references), chrf(texts, references)) for name, texts in baselines.items()}
for name, (words, letters) in scores.items():
    print(f"{name:17} BLEU {words.score:4.1f}   chrF {letters.score:4.1f}")
print(f"{'cut by row:':17} BLEU {leaked:4.1f} for the nearest sentence")

# %% [markdown]
# The best of the three is the bar for what follows. And the last line is the leak in points: the same machine without any
# understanding, the same number of test rows, only cut by row. Published figures on these pairs are mostly from such cuts.
#
# ## Attention on three numbers
#
# Now the idea of the second network. It has read three words and kept a vector for each. It is about to write, and its state is
# the *query*. The score of a word is the product of query and vector; the softmax turns scores into shares; what it reads is
# the mean of the vectors with these shares. The fourth vector is padding and must get nothing at all.

# %%
query = np.array([2.0, 0.0])
memory = np.array([[1.0, 0.2], [0.0, 1.0], [-1.0, 0.5], [9.0, 9.0]])  # (source, units); the last one is padding
real = np.array([True, True, True, False])
products = memory @ query / np.sqrt(2)  # (source,)
shares = np.where(real, np.exp(products), 0)
shares = shares / shares.sum()
print("scores ", products.round(2))
print("shares ", shares.round(2))
print("read   ", (shares @ memory).round(2))

# %% [markdown]
# The division by the square root of the length keeps products of long vectors from being so large that one share is 1 and
# nothing can be learned. The package's layer does the same, with a learned matrix for query and memory each, and finds the padding by
# the memory's mask. With both matrices set to the identity it must give our three numbers:

# %%
from rnn_course.layers import CrossAttention

layer = CrossAttention(2)
layer.build((1, 1, 2), (1, 4, 2))
layer.set_weights([np.eye(2), np.eye(2)])
context, layer_shares = layer(query[None, None], memory[None], memory_mask=real[None])
print("shares ", np.asarray(layer_shares)[0, 0].round(2))
print("read   ", np.asarray(context)[0, 0].round(2))

# %% [markdown]
# ## Two networks that differ in one vector
#
# This is the package's own function, shown in full. With attention, the context of a word is such a mean over the encoder's
# states. Without, it is the *summary*, the encoder's last states, the same for every word. Both decoders also begin in a state
# that is computed from the summary.

# %%
import inspect

from IPython.display import Markdown

from rnn_course.models import build_translator

code = inspect.getsource(build_translator).replace(f'"""{build_translator.__doc__}"""\n    ', "")
Markdown(f"```python\n{code}```")

# %% [markdown]
# ## Teacher forcing
#
# While it learns, the decoder is not asked to go on from its own words. It reads the *right* sentence, one step late, and at
# every step is asked for the next token. So all steps of a sentence can be computed at once, and an early mistake does not spoil
# the rest.


# %%
def encode(left, right):
    """Ids of source texts, (batch, source), and of target texts with their end, (batch, target); 0 is padding."""
    targets = [target_words.encode([*split_words(text), END]) for text in right]
    return pad([source_words.encode(split_words(text)) for text in left]), pad(targets)


def late(targets):
    """What the decoder reads while it is asked for `targets`, (batch, target): the same, one step later."""
    begin = np.full((len(targets), 1), target_words.encode([START])[0])
    return np.concatenate([begin, targets[:, :-1]], axis=1)


_, shown = encode(["¿Qué tal, Tom?"], ["How are you, Tom?"])
print("reads       ", *(f"{token:9}" for token in target_words.decode(late(shown)[0])))
print("is asked for", *(f"{token:9}" for token in target_words.decode(shown[0])))

# %% [markdown]
# ## Where the minutes go
#
# Before training, count. For one target word, each weight matrix on its way is used once, so the number of multiplications is
# the number of its weights. **Guess** which part of the network costs most.

# %%
sizes = {"source_vocabulary": len(source_words), "target_vocabulary": len(target_words), **SIZES}
parts = build_translator(**sizes)
costs = {
    name: sum(int(np.prod(weight.shape)) for weight in parts.get_layer(name).weights if len(weight.shape) == 2)
    for name in ("encoder", "decoder", "attention", "combined", "logits")
}
for name, cost in costs.items():
    print(f"{name:10} {cost:9,} multiplications a word, {cost / sum(costs.values()):4.0%}")
print(f"{parts.count_params():,} weights in all")

# %% [markdown]
# The last layer asks for each word of the vocabulary whether it comes next, and most of them never come. So in training we ask
# for fewer: the words that do occur in the batch, and some others drawn by chance, which stand for all the rest (Jean et al.
# 2015). The score of a drawn one is raised by the logarithm of how many words it stands for, so that on average the sum over
# the vocabulary stays what it was. On five numbers:

# %%
from rnn_course.candidates import sample_candidates

chosen = sample_candidates(np.array([[3, 7, 0]]), vocabulary=20, size=6, rng=np.random.default_rng(0))
print("asked for ", chosen.ids)
print("stand for ", np.exp(chosen.correction).round(1), "words each, together", np.exp(chosen.correction).sum().round(1))
print("the targets 3, 7 and padding are now at", chosen.places[0])

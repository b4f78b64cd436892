"""A course on recurrent neural networks in Keras that opens every network it trains.

The rooms, each of which can be used on its own, with your model and your data:

    reference   simple RNN, LSTM and GRU in NumPy, forward and back through time: the known answers
    sequences   vocabularies, padding, masks, windows
    words       sentences -> words and signs, and back
    whole_files writing a file whole or not at all
    candidates  which words of a large vocabulary to ask for in one batch of training
    frames      music as a network reads and writes it, and what a frame costs in nats
    features    what a frozen image network sees in the frames of a video, kept in a file
    biosequences DNA and protein as arrays, motifs and their matrices
    metrics     how good an answer is: surprisal, cross-entropy, perplexity, bits
    decoding    from logits to choices: greedy, temperature, top-k, top-p
    ngrams      how likely a symbol is after the few before it, by counting: the baseline
    data        load_<task>() for real and generated data sets, read_<format>() for your own files
    layers      Keras layers that Keras lacks
    feeding     batches for a `fit` that returns when its last one is done
    models      build_<task>() -> an uncompiled Keras model whose layers have names
    probes      a model -> named arrays: states, gates, gradients, attribution
    streaming   a trained model that takes one step at a time, its state in your hands; also with NumPy alone
    generation  a character model that writes, its whole loop compiled
    translation a trained translator that writes, its whole beam compiled
    music       notes, MIDI files, sound, and what the rules of part writing forbid
    composition a network of music that writes, or finds the voices below a melody
    plots       arrays -> a picture
    exercises   what a learner's answer is checked with
    lessons     finding, building and executing the lessons
    cli         the `rnn-course` command

Importing this package imports none of them.
"""

__version__ = "0.1.0"

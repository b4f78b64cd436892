"""A trained recurrent model that takes one step at a time, with its state in your hands.

* `stream`: `Stream`. `step_model`: `build_step_model`, `build_chunk_model`.
* `export`: `export_weights`. `numpy_stream`: `NumpyStream`, `State`, `save_state`, `load_state`, in one file that needs
  NumPy alone.
* `causal_transformer`: `CausalTransformer`, `KeyValueCache`, for comparison.
"""

from rnn_course.streaming.causal_transformer import CausalTransformer, KeyValueCache
from rnn_course.streaming.export import export_weights
from rnn_course.streaming.numpy_stream import NumpyStream, State, load_state, save_state
from rnn_course.streaming.step_model import build_chunk_model, build_step_model
from rnn_course.streaming.stream import Stream

__all__ = [
    "CausalTransformer",
    "KeyValueCache",
    "NumpyStream",
    "State",
    "Stream",
    "build_chunk_model",
    "build_step_model",
    "export_weights",
    "load_state",
    "save_state",
]

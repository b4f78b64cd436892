"""Models: `build_<task>(*, sizes)` returns an uncompiled `keras.Model` whose layers have names.

One file an application; compile and fit stay with the lesson, or with you.
"""

from rnn_course.models.candidates import build_candidate_twin
from rnn_course.models.captions import build_caption_model, build_feature_caption_model
from rnn_course.models.dna import build_bilstm, build_conv_bilstm
from rnn_course.models.frame_baselines import build_frame_average_model, build_late_fusion_model
from rnn_course.models.language_model import build_language_model
from rnn_course.models.music import build_frame_model, build_voice_model
from rnn_course.models.poses import build_pose_model
from rnn_course.models.sentiment import build_sentiment_classifier
from rnn_course.models.streaming import build_forecaster
from rnn_course.models.translation import build_translator
from rnn_course.models.video import build_clip_model, build_feature_model

__all__ = [
    "build_bilstm",
    "build_candidate_twin",
    "build_caption_model",
    "build_clip_model",
    "build_conv_bilstm",
    "build_feature_caption_model",
    "build_feature_model",
    "build_forecaster",
    "build_frame_average_model",
    "build_frame_model",
    "build_language_model",
    "build_late_fusion_model",
    "build_pose_model",
    "build_sentiment_classifier",
    "build_translator",
    "build_voice_model",
]

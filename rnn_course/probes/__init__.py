"""Open a trained network: model in, named arrays out, nothing changed.

* `layers`: `find_rnn_layers`, the recurrent layers of a model and how to name them.
* `states`: `trace`, all that a layer computed on the way; `project_states`, the paths through state space.
* `gates`: `gate_saturation`. `memory`: `memory_half_life`, `memory_retention`.
* `gradients`: `gradient_flow`; `training`: the same after every epoch, by `GradientFlowCallback`.
* `jacobians`: `jacobian_spectrum`, `connectivity`, `lag_profile`.
* `weights`: `gate_weights`, `recurrent_spectral_radius`.
* `attribution`: `input_attribution`. `mutagenesis`: `in_silico_mutagenesis`, `filter_matrix`, `motif_position`.
* `neurons`: `unit_concept_correlation`, `ablate_units`. `patterns`: `top_activating_contexts`, `match_state_pattern`.
* `attention`: `attention_weights`, `ablate_attention`, `alignment_agreement`. `readout`: `read_back`.

Under them, `replay` runs a model step by step with `stand_ins` for its layers (`custom_cells` for those without a
closed form), `linear_steps` writes such a step down as a matrix, `inputs` refuses what none of them can take, and
`autodiff` holds the framework's tape.
"""

from rnn_course.probes.attention import (
    AlignmentAgreement,
    AttentionWeights,
    ablate_attention,
    alignment_agreement,
    attention_weights,
)
from rnn_course.probes.attribution import Attribution, input_attribution
from rnn_course.probes.gates import GateSaturation, gate_saturation
from rnn_course.probes.gradients import GradientFlow, gradient_flow
from rnn_course.probes.jacobians import Connectivity, LagProfile, Spectrum, connectivity, jacobian_spectrum, lag_profile
from rnn_course.probes.layers import LayerRef, find_rnn_layers
from rnn_course.probes.memory import MemoryHalfLife, Retention, memory_half_life, memory_retention
from rnn_course.probes.mutagenesis import (
    FilterMatrices,
    Mutagenesis,
    filter_matrix,
    in_silico_mutagenesis,
    motif_position,
)
from rnn_course.probes.neurons import UnitConcept, ablate_units, unit_concept_correlation
from rnn_course.probes.patterns import Context, Match, match_state_pattern, top_activating_contexts
from rnn_course.probes.readout import ReadBack, read_back
from rnn_course.probes.stand_ins import ReplayError
from rnn_course.probes.states import Projection, Trace, project_states, trace
from rnn_course.probes.training import GradientFlowCallback
from rnn_course.probes.weights import SpectralRadius, gate_weights, recurrent_spectral_radius

__all__ = [
    "AlignmentAgreement",
    "AttentionWeights",
    "Attribution",
    "Connectivity",
    "Context",
    "FilterMatrices",
    "GateSaturation",
    "GradientFlow",
    "GradientFlowCallback",
    "LagProfile",
    "LayerRef",
    "Match",
    "MemoryHalfLife",
    "Mutagenesis",
    "Projection",
    "ReadBack",
    "ReplayError",
    "Retention",
    "SpectralRadius",
    "Spectrum",
    "Trace",
    "UnitConcept",
    "ablate_attention",
    "ablate_units",
    "alignment_agreement",
    "attention_weights",
    "connectivity",
    "filter_matrix",
    "find_rnn_layers",
    "gate_saturation",
    "gate_weights",
    "gradient_flow",
    "in_silico_mutagenesis",
    "input_attribution",
    "jacobian_spectrum",
    "lag_profile",
    "match_state_pattern",
    "memory_half_life",
    "memory_retention",
    "motif_position",
    "project_states",
    "read_back",
    "recurrent_spectral_radius",
    "top_activating_contexts",
    "trace",
    "unit_concept_correlation",
]

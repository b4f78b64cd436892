"""Open a trained network: model in, named arrays out, nothing changed.

layers: `find_rnn_layers`. states: `trace`, `project_states`. gradients: `gradient_flow`. attribution:
`input_attribution`. neurons: `unit_concept_correlation`, `ablate_units`. Under them, replay runs a model step by step
with stand_ins for its layers (custom_cells for those without a closed form), and autodiff holds the framework's tape.
"""

from rnn_course.probes.attribution import Attribution, input_attribution
from rnn_course.probes.gradients import GradientFlow, gradient_flow
from rnn_course.probes.layers import LayerRef, find_rnn_layers
from rnn_course.probes.neurons import UnitConcept, ablate_units, unit_concept_correlation
from rnn_course.probes.stand_ins import ReplayError
from rnn_course.probes.states import Projection, Trace, project_states, trace

__all__ = [
    "Attribution",
    "GradientFlow",
    "LayerRef",
    "Projection",
    "ReplayError",
    "Trace",
    "UnitConcept",
    "ablate_units",
    "find_rnn_layers",
    "gradient_flow",
    "input_attribution",
    "project_states",
    "trace",
    "unit_concept_correlation",
]

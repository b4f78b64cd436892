"""Plots: arrays and an Axes in, the Axes out. No model, no computing, no `show`; the file names are those of `probes`.

* `states`: all units as one image, single units over time, paths through state space.
* `gates`: how far each gate is open, for one unit, on average, or for all units as an image; how often it is nearly
  shut or nearly open.
* `gradients`: how far back the gradient reaches, several cells or kinds in one Axes.
* `jacobians`: singular values of the way to the last step, what each state depends on, and what is left at each lag.
* `memory`: what is left of a nudge to a memory, step by step.
* `weights`: eigenvalues in the complex plane, and kernels gate by gate.
* `attribution`: what each word adds to an answer, as bars and as words on colored boxes; `highlighted`: the same as
  HTML whose text stays text.
* `neurons`: does a unit stand for a concept, and is it missed when it is gone?
* `surprise`: what a stream was expected to say and what it said; `latency`: what a step costs, in several ways and
  after any number of steps.
* `training`: learning curves, and the held-out result beside the baseline and the published figure.
* `histories`: how far back the gradient reaches while a network learns; `animation`: the same as a GIF, whose figure
  nobody else sees.
* `next_token`: what came, symbol by symbol, and what was likeliest to come.
* `budgets`: the loss against the minutes of training, with baselines and published results.
* `attention`: which words were read for each word that was made, beside the true links.
* `breakdown`: a figure taken apart by length, place or any ordered groups, with the number of examples in each.
* `piano_roll`: which keys sound at which beat, and under them what units did meanwhile.
* `frames`: a strip of frames, and under each what the network knew and did; `poses`: the same for stick figures;
  `recognition`: when did it know?
* `logo`: sequences whose letters are as high as they count, and what every change of one letter does.
* `calibration`: is a classifier right as often as it is sure? `confusion`: what it calls what.
* `style`: the colors, and the only two functions that make figures to be shown; `steps`, `rows` and `strips`: what
  pictures over time, of labeled scores and of clips share; `decades`: exact zeros on a log scale;
  `page`: where things lie on the page.

Every picture is 7 × 3 inches unless its rows need another height, takes `ax` to draw elsewhere, and takes `title`,
which states what is to be seen.
"""

from rnn_course.plots.animation import AnimatedPicture, animate_gradient_flow
from rnn_course.plots.attention import plot_alignment
from rnn_course.plots.attribution import plot_attribution, plot_highlighted_text, plot_highlighted_texts
from rnn_course.plots.breakdown import plot_breakdown
from rnn_course.plots.budgets import plot_against_minutes
from rnn_course.plots.calibration import plot_calibration
from rnn_course.plots.confusion import plot_confusion
from rnn_course.plots.frames import plot_frame_strip, plot_frames
from rnn_course.plots.gates import plot_gate_image, plot_gate_saturation, plot_gates
from rnn_course.plots.gradients import plot_gradient_flow
from rnn_course.plots.highlighted import HighlightedText, highlight_text, highlight_texts
from rnn_course.plots.histories import plot_gradient_history, plot_gradient_stage
from rnn_course.plots.jacobians import plot_connectivity, plot_lag_profile, plot_spectrum
from rnn_course.plots.latency import plot_cost, plot_latency
from rnn_course.plots.logo import plot_mutagenesis, plot_sequence_logo
from rnn_course.plots.memory import plot_retention
from rnn_course.plots.neurons import plot_ablation, plot_unit_concept
from rnn_course.plots.next_token import plot_next_token
from rnn_course.plots.piano_roll import plot_activity, plot_piano_roll, plot_roll_with_activity
from rnn_course.plots.poses import plot_pose_strip, plot_poses
from rnn_course.plots.recognition import plot_recognition
from rnn_course.plots.states import plot_states, plot_trajectories, plot_unit_over_time
from rnn_course.plots.style import axes_or_new, figure_grid, hatch_masked
from rnn_course.plots.surprise import plot_forecast, plot_surprise
from rnn_course.plots.training import plot_history, plot_scores
from rnn_course.plots.weights import plot_eigenvalues, plot_gate_weights

__all__ = [
    "AnimatedPicture",
    "HighlightedText",
    "animate_gradient_flow",
    "axes_or_new",
    "figure_grid",
    "hatch_masked",
    "highlight_text",
    "highlight_texts",
    "plot_ablation",
    "plot_activity",
    "plot_against_minutes",
    "plot_alignment",
    "plot_attribution",
    "plot_breakdown",
    "plot_calibration",
    "plot_confusion",
    "plot_connectivity",
    "plot_cost",
    "plot_eigenvalues",
    "plot_forecast",
    "plot_frame_strip",
    "plot_frames",
    "plot_gate_image",
    "plot_gate_saturation",
    "plot_gate_weights",
    "plot_gates",
    "plot_gradient_flow",
    "plot_gradient_history",
    "plot_gradient_stage",
    "plot_highlighted_text",
    "plot_highlighted_texts",
    "plot_history",
    "plot_lag_profile",
    "plot_latency",
    "plot_mutagenesis",
    "plot_next_token",
    "plot_piano_roll",
    "plot_pose_strip",
    "plot_poses",
    "plot_recognition",
    "plot_retention",
    "plot_roll_with_activity",
    "plot_scores",
    "plot_sequence_logo",
    "plot_spectrum",
    "plot_states",
    "plot_surprise",
    "plot_trajectories",
    "plot_unit_concept",
    "plot_unit_over_time",
]

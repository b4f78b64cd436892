"""The lessons room: find the lessons, build their notebooks, and execute them from top to bottom.

A lesson is edited as a percent script, `lessons/NN_slug.py` at the top of the course. This room turns it into a
notebook, runs that notebook on a fresh kernel, reads the lesson's `results` back, and cleans what the run left
behind, so that the `rnn-course` command and the notebook builder do the same thing in the same way.

* `find`: where the lessons lie, and which one a learner means.
* `colab`: where Colab finds the course and its notebooks.
* `notebook`: from script to notebook; parameters read and replaced.
* `run`: one execution on a fresh kernel.
* `outputs`: what a run leaves, without logs, paths and addresses; `machine`: the folders and the size of this machine.
* `sections`: a notebook by its headings, and its pictures.
* `results`: the flat figures of a run, recorded and set beside baseline and published figure.
"""

from rnn_course.lessons.colab import REPOSITORY, colab_link, install_address
from rnn_course.lessons.find import Lesson, course_folder, find_lesson, find_lessons, read_lesson
from rnn_course.lessons.machine import machine_places, machine_size
from rnn_course.lessons.notebook import build_notebook, default_parameters, inject_parameters, source_hash
from rnn_course.lessons.outputs import clean_outputs
from rnn_course.lessons.results import (
    REQUIRED_RESULTS,
    Comparison,
    compare,
    read_results,
    recorded_results,
    show_figure,
)
from rnn_course.lessons.run import CellProgress, Execution, LessonError, execute
from rnn_course.lessons.sections import figures, section_names

__all__ = [
    "REPOSITORY",
    "REQUIRED_RESULTS",
    "CellProgress",
    "Comparison",
    "Execution",
    "Lesson",
    "LessonError",
    "build_notebook",
    "clean_outputs",
    "colab_link",
    "compare",
    "course_folder",
    "default_parameters",
    "execute",
    "figures",
    "find_lesson",
    "find_lessons",
    "inject_parameters",
    "install_address",
    "machine_places",
    "machine_size",
    "read_lesson",
    "read_results",
    "recorded_results",
    "section_names",
    "show_figure",
    "source_hash",
]

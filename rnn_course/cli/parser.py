"""What can be typed: the subcommands, their options, and examples of each."""

import argparse
import sys
from collections.abc import Callable

from rnn_course.cli.data import fetch_data, list_data, verify_data
from rnn_course.cli.doctor import examine
from rnn_course.cli.lab import open_lab
from rnn_course.cli.listing import list_lessons
from rnn_course.cli.messages import WRONG_USE
from rnn_course.cli.run import run_lesson


def build_parser() -> argparse.ArgumentParser:
    """Describe the subcommands, each with enough examples to use it.

    Returns:
        The parser; what it parses carries the function to call as `act`, and as `command` the parser of the
        subcommand, which knows what can be typed there.
    """
    from rnn_course import __version__

    parser = argparse.ArgumentParser(
        prog="rnn-course",
        description="Recurrent networks in Keras, trained on real data and then opened.",
        epilog="First steps:\n  rnn-course doctor\n  rnn-course list\n  rnn-course run sentiment\n\n"
        "`rnn-course COMMAND --help` shows what a command takes.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", help="show the version", version=f"rnn-course {__version__}")
    parser.set_defaults(act=_show_help, command=parser)
    commands = parser.add_subparsers(metavar="COMMAND")
    _add(commands, "list", list_lessons, "list the lessons with their minutes", "rnn-course list")
    _describe_run(commands)
    lab = _add(
        commands,
        "lab",
        open_lab,
        "open the notebooks in JupyterLab",
        "rnn-course lab\nrnn-course lab --no-browser --port 9999   (all options of `jupyter lab` are passed on)",
    )
    lab.add_argument("--no-browser", action="store_true", help="print the address, open no browser")
    _describe_data(commands)
    _add(commands, "doctor", examine, "check this machine, with one small training step", "rnn-course doctor")
    return parser


def _show_help(arguments: argparse.Namespace) -> int:
    """Show whoever typed no command, or half of one, what there is."""
    arguments.command.print_help(sys.stderr)
    return WRONG_USE


def _add(commands, name: str, act: Callable, purpose: str, examples: str) -> argparse.ArgumentParser:
    indented = "\n".join(f"  {line}" for line in examples.splitlines())
    command = commands.add_parser(
        name,
        help=purpose,
        description=f"{purpose[0].upper()}{purpose[1:]}.",
        epilog=f"Examples:\n{indented}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(act=act, command=command)
    return command


def _describe_run(commands) -> None:
    run = _add(
        commands,
        "run",
        run_lesson,
        "run a lesson from top to bottom on a fresh kernel",
        "rnn-course run sentiment\n"
        "rnn-course run 6 --fast --source sample   (under a minute, no network)\n"
        "rnn-course run sentiment --source sst2 --out my_run\n"
        "rnn-course run my_lessons/42_my_text.py   (a lesson of your own)",
    )
    run.add_argument("lesson", metavar="LESSON", help="its number or slug, as `rnn-course list` shows them")
    run.add_argument("--fast", action="store_true", help="a small run of the same code, under a minute")
    run.add_argument(
        "--source",
        metavar="auto|sample|NAME",
        help="the data: the real set if it can be had, else the bundled sample (auto, the default); "
        "the sample; or a data set by its name",
    )
    run.add_argument(
        "--out",
        metavar="DIR",
        help="folder for the notebook, the figures and results.json; an earlier run of the lesson in it is "
        "replaced once this one has succeeded (default: runs/NN_slug)",
    )


def _describe_data(commands) -> None:
    data = commands.add_parser(
        "data",
        help="list, fetch and verify the real data sets",
        description="List, fetch and verify the real data sets.",
        epilog="They are kept in the folder that RNN_COURSE_DATA names, or in the user's cache folder.\n"
        "Examples:\n  rnn-course data list\n  rnn-course data fetch sst2 sms_spam\n  rnn-course data verify",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data.set_defaults(act=_show_help, command=data)
    acts = data.add_subparsers(metavar="ACTION")
    _add(acts, "list", list_data, "list the data sets: size, cached or not, license", "rnn-course data list")
    fetch = _add(
        acts,
        "fetch",
        fetch_data,
        "download data sets that are not cached yet, checked by their SHA-256",
        "rnn-course data fetch sst2",
    )
    fetch.add_argument("names", metavar="NAME", nargs="+", help="a data set, as `rnn-course data list` shows them")
    verify = _add(
        acts,
        "verify",
        verify_data,
        "hold cached files against their SHA-256",
        "rnn-course data verify\nrnn-course data verify sst2",
    )
    verify.add_argument("names", metavar="NAME", nargs="*", help="a data set; all that are cached when left out")

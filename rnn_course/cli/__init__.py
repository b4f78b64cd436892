"""The `rnn-course` command: list and run lessons, open them, fetch their data, look the machine over.

Exit codes: 0 all is well; 1 the run, the data or the machine failed; 2 a wrong name or option; 130 Ctrl-C.
Everything heavy is imported where it is used, so that `--help` answers at once.

* `parser`: what can be typed.
* `listing`, `run`, `lab`, `data`, `doctor`: one file for one command.
* `messages`: exit codes, complaints and tables; `progress`: how far a run is.
"""

import os
import sys
from collections.abc import Sequence

from rnn_course.cli.lab import open_lab
from rnn_course.cli.messages import FAILED, INTERRUPTED, WRONG_USE, UsageError, complain
from rnn_course.cli.parser import build_parser
from rnn_course.cli.progress import ProgressLine

__all__ = ["ProgressLine", "build_parser", "main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: its arguments; those of this process when `None`.

    Returns:
        The exit code.

    Raises:
        SystemExit: with code 2 for an unknown option, with code 0 after `--help`.
    """
    arguments, rest = build_parser().parse_known_args(argv)
    if rest and arguments.act is not open_lab:
        arguments.command.error(f"unknown arguments: {' '.join(rest)}")
    arguments.rest = rest
    try:
        code = arguments.act(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever read along, `head` for one, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains as it closes stdout
        return FAILED
    except UsageError as error:
        return complain(error, WRONG_USE)
    except KeyboardInterrupt:
        return complain("interrupted; nothing half-written was left behind.", INTERRUPTED)

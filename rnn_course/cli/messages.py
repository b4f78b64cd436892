"""What the command says and ends with: exit codes, complaints, tables."""

import sys
from collections.abc import Sequence

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130


class UsageError(Exception):
    """What was typed cannot be done; the message says what can."""


def complain(message: object, code: int) -> int:
    """Write a message to stderr under the command's name, and return the exit code."""
    print(f"rnn-course: {message}", file=sys.stderr)
    return code


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows of text in columns that are as wide as their widest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

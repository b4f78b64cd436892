"""`rnn-course list`: the lessons, with the minutes of their last full run."""

import argparse

from rnn_course.cli.messages import FAILED, complain, print_table


def list_lessons(arguments: argparse.Namespace) -> int:
    """Print number, slug, title and minutes of every lesson."""
    from rnn_course.lessons import find_lessons, recorded_results

    rows, faults = [["no", "slug", "title", "minutes"]], []
    for lesson in find_lessons():
        try:
            results = recorded_results(lesson)
        except ValueError as error:
            faults.append(error)
            results = {}
        minutes = f"{results['minutes']:.1f}" if results else "–"
        rows.append([f"{lesson.number:02}", lesson.slug, lesson.plain_title, minutes])
    print_table(rows)
    return max((complain(fault, FAILED) for fault in faults), default=0)

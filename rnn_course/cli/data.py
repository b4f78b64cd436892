"""`rnn-course data`: list, fetch and verify the real data sets."""

import argparse
from collections.abc import Sequence

from rnn_course.cli.messages import FAILED, UsageError, complain, print_table


def list_data(arguments: argparse.Namespace) -> int:
    """Print size, license and presence of every data set."""
    from rnn_course.data.cache import cache_directory
    from rnn_course.data.registry import data_sets

    cached = cached_data()
    rows = [["name", "MB", "cached", "license"]]
    for name, chosen in data_sets().items():
        rows.append([name, f"{chosen.bytes / 1e6:.1f}", "yes" if name in cached else "no", chosen.license])
    print_table(rows)
    print(f"\nCache: {cache_directory()}")
    return 0


def cached_data() -> list[str]:
    """Name the data sets whose files all lie in the cache."""
    from rnn_course.data.cache import status
    from rnn_course.data.registry import data_sets

    return [name for name in data_sets() if all(found.state == "cached" for found in status(name))]


def fetch_data(arguments: argparse.Namespace) -> int:
    """Bring the named data sets into the cache, going on after one that fails."""
    from rnn_course.data.cache import DataError, fetch

    _refuse_unknown_data(arguments.names)
    code = 0
    for name in arguments.names:
        try:
            paths = fetch(name)
        except DataError as error:
            code = complain(f"{name}: {error}", FAILED)
        else:
            print(f"{name}: {len(paths)} file{'' if len(paths) == 1 else 's'} ready")
    return code


def verify_data(arguments: argparse.Namespace) -> int:
    """Hold the files of the named data sets, or of all cached ones, against their sums."""
    from rnn_course.data.cache import status, verify
    from rnn_course.data.registry import data_sets

    _refuse_unknown_data(arguments.names)
    cached = [name for name in data_sets() if any(found.state != "missing" for found in status(name))]
    code = 0
    for name in arguments.names or cached:
        for found in verify(name):
            print(f"{found.state:9} {name}/{found.file.path}{found.detail and ': ' + found.detail}")
            code = code if found.state == "verified" else FAILED
    if not arguments.names and not cached:
        print("No data set is cached; `rnn-course data fetch NAME` gets one.")
    return code


def _refuse_unknown_data(names: Sequence[str]) -> None:
    from rnn_course.data.registry import data_set

    for name in names:
        try:
            data_set(name)
        except ValueError as error:
            raise UsageError(error) from error

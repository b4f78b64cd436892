"""Run the command as `python -m rnn_course.cli`."""

import sys

from rnn_course.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""How far a run is, on a terminal or in a log."""

import shutil


class ProgressLine:
    """Shows how far a run is: one line that is redrawn on a terminal, a line per cell elsewhere."""

    def __init__(self, stream):
        """Write to `stream`, an open text file."""
        self.stream = stream
        self.redraws = stream.isatty()

    def __enter__(self):
        """Begin; nothing is written yet."""
        return self

    def __exit__(self, *reason) -> None:
        """Take the redrawn line away."""
        if self.redraws:
            self.stream.write("\r\x1b[2K")
            self.stream.flush()

    def __call__(self, progress) -> None:
        """Show a `CellProgress`: the cell's number, its section, its seconds."""
        width = len(str(progress.total))
        place = f"[{progress.position:{width}}/{progress.total}]"
        line = f"{place} {progress.heading}  {progress.seconds:.0f} s"
        if self.redraws:
            room = shutil.get_terminal_size().columns - 1
            self.stream.write(f"\r\x1b[2K{line[:room]}")
            self.stream.flush()
        elif progress.done:
            print(line, file=self.stream, flush=True)

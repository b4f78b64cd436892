"""A user's text file, from bytes to characters, with an error that says where it failed and what to pass."""

from pathlib import Path


def existing_file(path: str | Path, what: str) -> Path:
    """Make sure that a user's file is there.

    Args:
        path: the file.
        what: what to pass, for the error: "a text file".

    Returns:
        The path.

    Raises:
        FileNotFoundError: where there is no file, or a folder.
    """
    path = Path(path)
    if not path.is_file():
        found = f"{path} is a folder" if path.is_dir() else f"There is no file {path} (looked in {Path.cwd()})"
        raise FileNotFoundError(f"{found}. Pass the path of {what}.")
    return path


def decode_file(path: Path, encoding: str) -> str:
    """Read a text file.

    Args:
        path: the file.
        encoding: how its bytes become characters.

    Returns:
        The text as it stands there, line breaks and a byte-order mark included where the encoding keeps it.

    Raises:
        ValueError: where Python knows no such encoding, or a byte is not part of it.
    """
    content = path.read_bytes()
    try:
        return content.decode(encoding)
    except LookupError as error:
        raise ValueError(f'There is no encoding {encoding!r}. Pass one that Python knows, such as "utf-8".') from error
    except UnicodeDecodeError as error:
        at = error.start + len(content) - len(error.object)  # some codecs cut a byte-order mark off before decoding
        raise ValueError(
            f"{path.name} is not {error.encoding}: byte 0x{content[at]:02x} at position {at:,} "
            f"(line {content.count(0x0A, 0, at) + 1:,}) is not part of it. Pass the file's own encoding; it "
            f'looks like encoding="{_likely(content, at)}".'
        ) from error


def _likely(content: bytes, at: int) -> str:
    """Guess the encoding from the beginning of a file and the byte that did not fit."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    return "cp1252" if content[at] < 0xA0 else "latin-1"  # bytes 0x80 to 0x9f: the curly quotes of Windows

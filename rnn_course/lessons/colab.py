"""Where Colab finds the course: the address that a first cell installs, and the link with which a notebook opens."""

REPOSITORY = "rnn-course/rnn_course"  # owner and name, the one place beside the lessons' first cells that holds them


def install_address(version: str) -> str:
    """Return what a lesson's first cell hands to pip where the course is missing.

    Args:
        version: of the course, such as `"0.1.0"`.

    Returns:
        The repository at the tag of that version.

    Example:
        >>> install_address("0.1.0")
        'git+https://github.com/rnn-course/rnn_course@v0.1.0'
    """
    return f"git+https://github.com/{REPOSITORY}@v{version}"


def colab_link(name: str, version: str) -> str:
    """Return the line that opens a lesson's notebook in Colab; words, for a picture would be fetched at every reading.

    Args:
        name: the lesson's number and slug, such as `"06_sentiment"`.
        version: of the course, so that the notebook is the one that its first cell's version belongs to.

    Returns:
        A link in Markdown.

    Example:
        >>> colab_link("06_sentiment", "0.1.0")[:50]
        '[Open in Colab](https://colab.research.google.com/'
    """
    place = f"github/{REPOSITORY}/blob/v{version}/notebooks/{name}.ipynb"
    return f"[Open in Colab](https://colab.research.google.com/{place})"

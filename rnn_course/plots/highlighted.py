"""Words colored by a signed number, as HTML whose text stays text: no script, no network, light and dark."""

import html
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex

from rnn_course.plots.states import symmetric_limit
from rnn_course.plots.steps import as_numbers
from rnn_course.plots.style import DIVERGING, text_on
from rnn_course.whole_files import written_whole

LEVELS = 10
SHOWN_WITHOUT_STYLES = 3
DARK = LinearSegmentedColormap.from_list(
    "rnn_course_diverging_dark", ["#7CC0FF", "#2F7FC4", "#1D3F5E", "#23272C", "#5A3A17", "#C46A14", "#FFB066"]
)
IN_THE_DARK = ('[data-jp-theme-light="false"]', ".vscode-dark", 'html[theme="dark"]')


@dataclass(frozen=True, eq=False, repr=False)
class HighlightedText:
    """Words with a signed number each; a notebook shows it in color, a terminal and `print` as words over numbers.

    Attributes:
        lines: for each text a pair of (words, values): a tuple of str and a float array (words,), NaN for a word
            without a value.
        limit: the size that gets the strongest color.
        title: the finding, or `None`.
        separator: what stands between two words: " ", or "" for characters.
    """

    lines: tuple
    limit: float
    title: str | None = None
    separator: str = " "

    def __str__(self):
        """The plain form: words, and under them their numbers."""
        rows = [row for words, values in self.lines for row in [*_plain_rows(words, values), ""]]
        return "\n".join([self.title, "", *rows] if self.title else rows).rstrip()

    def __repr__(self):
        """What a terminal shows where no notebook does: the plain form."""
        return str(self)

    def _repr_html_(self):
        """The colored form, self-contained: a style sheet of classes, the words, and the scale."""
        title = f'<p class="rnn-title">{html.escape(self.title)}</p>' if self.title else ""
        lines = "".join(
            f'<p class="rnn-line">{self.separator.join(map(self._span, words, values))}</p>'
            for words, values in self.lines
        )
        return f'<div class="rnn-highlight"><style>{_style_sheet()}</style>{title}{lines}{self._scale()}</div>'

    def save(self, path):
        """Write a page that needs nothing else: no network, no script.

        Args:
            path: where to; an existing file is replaced only by a complete one.

        Returns:
            The `pathlib.Path` that was written.
        """
        name = html.escape(self.title or "Highlighted text")
        head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        scheme = '<meta name="color-scheme" content="light dark">'
        page = f'<!doctype html>\n<html lang="en"><head>{head}{scheme}<title>{name}</title></head>\n<body>'
        path = Path(path)
        with written_whole(path) as part:
            part.write_text(f"{page}{self._repr_html_()}</body></html>\n", encoding="utf-8")
        return path

    def _span(self, word, value):
        """One word; its number is hidden by the style sheet and shows where a viewer strips that."""
        if np.isnan(value):
            return f'<span class="rnn-none">{html.escape(word)}</span>'
        level, number = level_of(value, self.limit), signed(value)
        strong = abs(level) >= SHOWN_WITHOUT_STYLES and self.separator
        hidden = f"<sub>{number}</sub>" if strong else ""
        return f'<span class="{class_of(level)}" title="{number}">{html.escape(word)}{hidden}</span>'

    def _scale(self):
        """The legend: all levels with the ends named, or one side of them where all values have one sign."""
        values = np.concatenate([values for _, values in self.lines])
        below, above = (values < 0).any(), (values > 0).any()
        lowest, highest = (-LEVELS if below or not above else 0), (LEVELS if above or not below else 0)
        steps = "".join(f'<i class="{class_of(level)}">&nbsp;</i>' for level in range(lowest, highest + 1))
        low, high = (signed(level / LEVELS * self.limit) if level else "0" for level in (lowest, highest))
        return f'<p class="rnn-scale">{low} {steps} {high}</p>'


def highlight_text(tokens, values, *, limit=None, title=None, separator=" "):
    """Color the words of one text by a signed number each: blue below zero, orange above.

    Args:
        tokens: (words,) strings; HTML in them is shown, never obeyed.
        values: (words,) numbers; NaN marks a word without one.
        limit: the size that gets the strongest color; the largest size when `None`.
        title: the finding.
        separator: what stands between two tokens; "" for characters.

    Returns:
        A `HighlightedText`.

    Raises:
        ValueError: words and values differ in number, a value is infinite, or `limit` is not above zero.

    >>> print(highlight_text(["not", "good"], [-0.8, 0.25]))
      not  good
    −0.80 +0.25
    """
    return highlight_texts([(tokens, values)], limit=limit, title=title, separator=separator)


def highlight_texts(texts, *, limit=None, title=None, separator=" "):
    """Color the words of several texts on one scale, so that they can be compared.

    Args:
        texts: a list of (tokens, values) pairs, each as in `highlight_text`: (words,) strings and (words,) numbers.
        limit: the size that gets the strongest color; the largest size of all texts when `None`.
        title: the finding.
        separator: what stands between two tokens; "" for characters.

    Returns:
        A `HighlightedText` with one line for each text.

    Raises:
        ValueError: there is no text, words and values differ in number, a value is infinite, or `limit` is not
            above zero.
    """
    lines = tuple(checked_line(*pair) for pair in texts)
    if not lines:
        raise ValueError("There is no text to highlight; pass at least one (tokens, values) pair.")
    limit = symmetric_limit(np.concatenate([values for _, values in lines]), limit)
    return HighlightedText(lines, limit, title, separator)


def checked_line(tokens, values):
    """Read one text and the values of its words.

    Args:
        tokens: (words,) strings.
        values: (words,) numbers; NaN marks a word without one.

    Returns:
        A tuple of str, and a float array (words,).

    Raises:
        ValueError: words and values differ in number, there are none, or a value is infinite.
    """
    if isinstance(tokens, str):
        raise ValueError("`tokens` must be a list of words, not one str; pass `list(text)` for its characters.")
    words, values = tuple(map(str, tokens)), as_numbers(values, "values")
    if values.shape != (len(words),) or not words:
        raise ValueError(f"{len(words)} tokens need {len(words)} values, (words,); got shape {values.shape}.")
    if np.isinf(values).any():
        raise ValueError("`values` holds an infinite number; NaN is the mark of a word without a value.")
    return words, values


def level_of(value, limit):
    """The color level of a value, from -10 to 10.

    Args:
        value: a number.
        limit: the size that gets the strongest level; larger ones get it too.

    Returns:
        An int.

    >>> level_of(-0.5, limit=1.0), level_of(7.0, limit=1.0)
    (-5, 10)
    """
    return round(float(np.clip(value / limit, -1, 1)) * LEVELS)


def class_of(level):
    """The CSS class of a level.

    Args:
        level: an int from -10 to 10.

    Returns:
        A str: "rnn-n10" … "rnn-n1", "rnn-zero", "rnn-p1" … "rnn-p10".
    """
    return "rnn-zero" if level == 0 else f"rnn-{'n' if level < 0 else 'p'}{abs(level)}"


def palette(*, dark=False):
    """Background and text color of every level.

    Args:
        dark: the palette for a dark page.

    Returns:
        A dict of level -> (background, text), 21 pairs of hexadecimal colors; each pair's contrast is at least 4.5.
    """
    colors = DARK if dark else DIVERGING
    backgrounds = {level: to_hex(colors((level + LEVELS) / (2 * LEVELS))) for level in range(-LEVELS, LEVELS + 1)}
    return {level: (background, text_on(background)) for level, background in backgrounds.items()}


def signed(value):
    """A number with its sign in two digits after the point, or in three figures where it is smaller than 0.01.

    Args:
        value: a finite number.

    Returns:
        A str such as "−0.81"; the minus is the typographic one, as in matplotlib.
    """
    text = f"{value:+.2f}" if value == 0 or abs(value) >= 0.01 else f"{value:+.1e}"
    return text.replace("-", "−")


def _style_sheet():
    """The rules of all levels, light and dark."""
    box = ".rnn-highlight"
    base = (
        f"{box}{{font:16px/1.9 system-ui,sans-serif;padding:.5em .8em;border-radius:6px;max-width:60em}}"
        f"{box} p{{margin:.3em 0}}{box} sub{{display:none}}{box} .rnn-title{{font-weight:600}}"
        f"{box} .rnn-line{{white-space:pre-wrap;overflow-wrap:anywhere}}"
        f"{box} span{{border-radius:3px;padding:.12em .18em}}{box} .rnn-none{{text-decoration:underline dotted}}"
        f"{box} .rnn-scale{{font-size:13px;user-select:none}}{box} i{{padding:.15em .3em}}"
    )
    dark = _rules((".rnn-highlight",), dark=True)
    themes = _rules([f"{theme} .rnn-highlight" for theme in IN_THE_DARK], dark=True)
    return f"{base}{_rules(('.rnn-highlight',))}@media(prefers-color-scheme:dark){{{dark}}}{themes}"


def _rules(boxes, *, dark=False):
    """The color rules of one palette under each of the given selectors."""
    page = "background:#16191d;color:#e8e8e8" if dark else "background:#ffffff;color:#1a1a1a"
    rules = [f"{','.join(boxes)}{{{page}}}"]
    for level, (background, text) in palette(dark=dark).items():
        selector = ",".join(f"{box} .{class_of(level)}" for box in boxes)
        rules.append(f"{selector}{{background:{background};color:{text}}}")
    return "".join(rules)


def _plain_rows(words, values, width=78):
    """Words over their numbers in columns, broken into rows of at most `width` characters."""
    numbers = ["–" if np.isnan(value) else signed(value) for value in values]
    words = [word.replace("\n", "↵") for word in words]
    rows, used = [["", ""]], 0
    for word, number in zip(words, numbers, strict=True):
        column = max(len(word), len(number)) + 1
        if used and used + column > width:
            rows, used = [*rows, ["", ""]], 0
        rows[-1] = [rows[-1][0] + word.rjust(column), rows[-1][1] + number.rjust(column)]
        used += column
    return [line[1:] for row in rows for line in row]

"""Highlighted words: text stays text, every level can be read, one scale for all."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import same_color, to_hex
from pictures import new_axes

from rnn_course.plots import (
    highlight_text,
    highlight_texts,
    plot_attribution,
    plot_highlighted_text,
    plot_highlighted_texts,
)
from rnn_course.plots.highlighted import class_of, level_of, palette, signed
from rnn_course.plots.style import DIVERGING, NEGATIVE, POSITIVE, contrast

WORDS = ["not", "good", ",", "but", "long"]
VALUES = [-0.8, 0.4, 0.0, 0.2, -0.1]


class Reader(HTMLParser):
    """What a page shows with its style sheet (no `sub`, no `style`): the text of each line, the class of each word."""

    def __init__(self, page):
        super().__init__()
        self.open, self.lines, self.words, self.scale, self.tags, self.text = [], [], [], "", set(), ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in ("meta",):
            self.open.append((tag, dict(attrs).get("class")))
        if (tag, dict(attrs).get("class")) == ("p", "rnn-line"):
            self.lines.append("")

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        path = [tag for tag, _ in self.open]
        if "style" in path or "sub" in path:
            return
        self.text += data
        classes = [name for _, name in self.open]
        if "rnn-line" in classes:
            self.lines[-1] += data
        if path[-1:] == ["span"]:
            self.words.append((data, classes[-1]))
        if "rnn-scale" in classes:
            self.scale += data


def test_a_word_gets_the_class_of_its_level():
    words = Reader(highlight_text(WORDS, VALUES)._repr_html_()).words
    assert words == [
        ("not", "rnn-n10"),
        ("good", "rnn-p5"),
        (",", "rnn-zero"),
        ("but", "rnn-p2"),
        ("long", "rnn-n1"),
    ]


def test_the_text_can_be_selected_as_it_was_written():
    assert Reader(highlight_text(WORDS, VALUES)._repr_html_()).lines == ["not good , but long"]
    characters = highlight_text(list("to be\nor"), np.ones(8), separator="")
    assert Reader(characters._repr_html_()).lines == ["to be\nor"]


def test_html_in_a_word_or_a_title_is_shown_and_not_obeyed():
    page = highlight_text(["<script>", "&amp;", '"'], [1, 2, 3], title="<b>bold</b>")._repr_html_()
    reader = Reader(page)
    assert reader.tags.isdisjoint({"script", "b"})
    assert reader.lines == ['<script> &amp; "']
    assert "<b>bold</b>" in reader.text


def test_no_colors_in_the_tags_no_script_and_no_address():
    page = highlight_text(WORDS, VALUES, title="Finding")._repr_html_()
    assert "style=" not in page and "<script" not in page and "http" not in page and "url(" not in page
    assert Reader(page).tags == {"div", "style", "p", "span", "i", "sub"}


def test_every_class_that_is_used_has_a_rule_light_and_dark():
    page = highlight_text(WORDS, VALUES)._repr_html_()
    sheet = page[page.index("<style>") : page.index("</style>")]
    for level in range(-10, 11):
        rules = re.findall(rf"\.{class_of(level)}\{{background:(#\w+);color:(#\w+)\}}", sheet)
        assert rules[0] == palette()[level]
        assert rules[1] == rules[2] == palette(dark=True)[level]
    assert sheet.count("@media(prefers-color-scheme:dark){") == 1
    assert sheet.count("{") == sheet.count("}")


@pytest.mark.parametrize("dark", [False, True])
def test_text_on_every_level_passes_level_aa(dark):
    levels = palette(dark=dark)
    assert list(levels) == list(range(-10, 11))
    assert min(contrast(background, text) for background, text in levels.values()) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
def test_stronger_levels_stand_out_more_from_the_page(dark):
    page = "#16191d" if dark else "#ffffff"
    strengths = [contrast(page, background) for background, _ in palette(dark=dark).values()]
    assert (np.diff(strengths[:11]) <= 0).all() and (np.diff(strengths[10:]) >= 0).all()
    assert len(set(palette(dark=dark).values())) == 21


def test_without_the_style_sheet_the_strong_words_still_show_their_numbers():
    page = highlight_text(WORDS, VALUES)._repr_html_()
    assert re.findall(r"(\w+)<sub>(.*?)</sub>", page) == [("not", "−0.80"), ("good", "+0.40")]
    assert ".rnn-highlight sub{display:none}" in page


def test_the_scale_names_its_ends_and_several_texts_share_it():
    page = highlight_texts([(["good"], [0.5]), (["awful"], [-2.0])], title="Two")._repr_html_()
    reader = Reader(page)
    assert reader.words == [("good", class_of(2)), ("awful", "rnn-n10")]
    assert reader.scale.split()[0] == "−2.00" and reader.scale.split()[-1] == "+2.00"
    assert reader.lines == ["good", "awful"]


@pytest.mark.parametrize(("sign", "ends"), [(1, ["0", "+2.00"]), (-1, ["−2.00", "0"])])
def test_the_scale_has_one_side_where_all_values_have_one_sign(sign, ends):
    page = highlight_text(["a", "b", "c"], [0, sign, 2 * sign])._repr_html_()
    assert Reader(page).scale.split() == ends
    assert page.count("&nbsp;") == 11  # zero and ten levels


def test_a_scale_of_zeros_keeps_both_sides():
    assert Reader(highlight_text(["a", "b"], [0, np.nan], limit=1)._repr_html_()).scale.split() == ["−1.00", "+1.00"]


def test_a_terminal_shows_the_plain_form():
    text = highlight_text(["not", "good"], [-0.8, 0.25])
    assert repr(text) == "  not  good\n−0.80 +0.25"


def test_a_given_limit_is_kept_and_larger_values_get_the_strongest_level():
    text = highlight_text(["a", "b"], [0.5, 9.0], limit=1)
    assert text.limit == 1
    assert [name for _, name in Reader(text._repr_html_()).words] == ["rnn-p5", "rnn-p10"]


def test_a_word_without_a_value_is_not_a_zero():
    text = highlight_text(["pad", "good"], [np.nan, 1.0])
    assert Reader(text._repr_html_()).words == [("pad", "rnn-none"), ("good", "rnn-p10")]
    assert "–" in str(text) and "+0.00" not in str(text)


def test_the_saved_page_stands_alone(tmp_path):
    path = highlight_text(["naïve", "<ending>"], [0.5, -0.5], title="A & B").save(tmp_path / "text.html")
    page = path.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert '<meta charset="utf-8">' in page and "<title>A &amp; B</title>" in page
    assert Reader(page.partition("\n")[2]).lines == ["naïve <ending>"]


def test_the_plain_form_sets_each_number_under_its_word():
    top, bottom = str(highlight_text(["not", "wonderful"], [-0.8, 0.25])).splitlines()
    assert top.split() == ["not", "wonderful"] and bottom.split() == ["−0.80", "+0.25"]
    assert top.index("not") + 3 == bottom.index("−0.80") + 5
    assert len(top) == len(bottom)


def test_the_plain_form_breaks_long_texts_and_keeps_the_title():
    lines = str(highlight_text(["word"] * 40, np.zeros(40), title="Finding")).splitlines()
    assert lines[0] == "Finding"
    assert max(map(len, lines)) <= 78
    assert " ".join(lines).split().count("word") == 40


@pytest.mark.parametrize(("value", "level"), [(0, 0), (0.04, 0), (0.06, 1), (-1, -10), (-3, -10), (0.99, 10)])
def test_levels_are_tenths_of_the_limit(value, level):
    assert level_of(value, limit=1.0) == level


def test_small_numbers_keep_their_figures():
    assert (signed(0.0), signed(-0.5), signed(0.00012)) == ("+0.00", "−0.50", "+1.2e−04")


@pytest.mark.parametrize(
    ("tokens", "values", "change", "message"),
    [
        (["a", "b"], [1.0], {}, r"2 tokens need 2 values, \(words,\); got shape \(1,\)"),
        ([], [], {}, "0 tokens need 0 values"),
        ("not good", [1.0] * 8, {}, "list of words, not one str; pass `list"),
        (["a"], [np.inf], {}, "infinite number; NaN is the mark"),
        (["a"], [1.0], {"limit": -1}, "`limit` must be above zero"),
        (["a"], ["much"], {}, "`values` must hold numbers"),
    ],
)
def test_wrong_words_are_refused_with_what_to_do(tokens, values, change, message):
    with pytest.raises(ValueError, match=message):
        highlight_text(tokens, values, **change)


def test_no_text_at_all_is_refused():
    with pytest.raises(ValueError, match="no text to highlight"):
        highlight_texts([])


def test_each_word_has_a_bar_of_its_value_and_the_color_of_its_sign():
    ax = plot_attribution(WORDS, VALUES, ax=new_axes())
    assert [bar.get_height() for bar in ax.patches] == VALUES
    assert [label.get_text() for label in ax.get_xticklabels()] == WORDS
    assert ax.get_ylabel() == "attribution (in logits)"
    for bar, value in zip(ax.patches, VALUES, strict=True):
        assert not value or same_color(bar.get_facecolor(), POSITIVE if value > 0 else NEGATIVE)


def test_bars_that_all_point_one_way_start_at_zero():
    assert plot_attribution(["a", "b"], [1, 2], ax=new_axes()).get_ylim() == pytest.approx((0, 2.2))
    low, high = plot_attribution(["a", "b"], [-1, -2], ax=new_axes()).get_ylim()
    assert low == pytest.approx(-2.2) and 0 < high < 0.2


def test_the_picture_holds_each_word_on_a_box_of_its_color():
    ax = plot_highlighted_text(WORDS, VALUES, quantity="attribution (in logits)", ax=new_axes())
    assert [text.get_text() for text in ax.texts] == WORDS
    for text, value in zip(ax.texts, VALUES, strict=True):
        background = text.get_bbox_patch().get_facecolor()
        assert to_hex(background) == to_hex(DIVERGING((value + 0.8) / 1.6 + 1e-9))
        assert contrast(text.get_color(), background) >= 4.5
    assert ax.figure.axes[1].get_xlabel() == "attribution (in logits)"
    assert ax.figure.axes[1].get_xlim() == pytest.approx((-0.8, 0.8))


def test_lines_are_broken_at_the_width_of_the_axes_and_each_text_begins_a_line():
    ax = new_axes()
    plot_highlighted_texts([(["wonderful"] * 12, np.ones(12)), (["awful"], [-1.0])], ax=ax)
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    rows = sorted({round(box.y0) for box in boxes})
    assert len(rows) == 3
    assert max(box.x1 for box in boxes) <= ax.get_window_extent().x1
    assert boxes[-1].x0 == pytest.approx(boxes[0].x0, abs=1)
    for first, second in pairwise(boxes):
        assert second.x0 > first.x1 or second.y1 < first.y0


def test_a_text_that_does_not_fit_is_refused_with_what_to_do():
    with pytest.raises(ValueError, match=r"needs \d+ rows, \d+\.\d inches.*leave `ax` out"):
        plot_highlighted_text(["wonderful"] * 200, np.ones(200), ax=new_axes(3.0, 1.5))

"""What the tests of pictures share: an Axes of the lessons' size, and how its lines and texts are read back."""

from matplotlib.figure import Figure


def new_axes(width=7.0, height=3.0):
    return Figure(figsize=(width, height), layout="constrained").subplots()


def line_of(ax, label):
    (line,) = [line for line in ax.lines if line.get_label() == label]
    return line


def texts_of(ax):
    return [text.get_text() for text in ax.texts]

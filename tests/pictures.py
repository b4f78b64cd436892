"""What the tests of pictures share: an Axes of the lessons' size, and how its lines and texts are read back."""

from matplotlib.figure import Figure


def new_axes(width=7.0, height=3.0):
    return Figure(figsize=(width, height), layout="constrained").subplots()


def box_of(patch):
    """Left, bottom, right and top of a patch, which is a Rectangle or, of an older Matplotlib, a Polygon."""
    corners = patch.get_patch_transform().transform(patch.get_path().vertices)
    return (*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())


def line_of(ax, label):
    (line,) = [line for line in ax.lines if line.get_label() == label]
    return line


def texts_of(ax):
    return [text.get_text() for text in ax.texts]

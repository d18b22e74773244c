"""Figures that are independent of `pyplot`. matplotlib is imported only when one is
drawn."""

import io
from os import PathLike

from stackrec_keras.errors import ArgumentError


def check_picture_path(path, by_keyword=""):
    """Checks that a figure can be written to a path.

    Args:
        path: A path, a binary file or `None`.
        by_keyword: String, another argument that the caller may have meant; the error
            says to give it by keyword. Defaults to `""`.
    """
    if path is None or isinstance(path, (str, PathLike)) or hasattr(path, "write"):
        return
    fix = f"Give other arguments by keyword: {by_keyword}." if by_keyword else ""
    reason = "must be a path such as 'plan.png', a binary file or None"
    raise ArgumentError("path", reason, fix, path)


def new_figure(width, height):
    """Returns an empty `matplotlib.figure.Figure` of `width` by `height` inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, layout="constrained")
    # The margin around the labels, in inches.
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
    return figure


def write_figure(figure, path):
    """Writes a figure to `path`, unless `path` is `None`, and returns the figure."""
    if path is not None:
        figure.savefig(path)
    # Notebooks show a figure made without pyplot only if it has this method.
    figure._repr_png_ = lambda: _png(figure)
    return figure


def _png(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()

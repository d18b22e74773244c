"""Figures that belong to no `pyplot` state. matplotlib is imported to draw only."""

import io


def new_figure(width, height):
    """Returns an empty `matplotlib.figure.Figure` of that size in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, layout="constrained")
    # Labels need some room to the edge, in inches.
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
    return figure


def finished(figure, path):
    """Writes a figure where it is to go, if anywhere, and returns it."""
    if path is not None:
        figure.savefig(path)
    # Notebooks show figures that pyplot does not know only if they can do this.
    figure._repr_png_ = lambda: _png(figure)
    return figure


def _png(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()

from os import PathLike
from typing import TYPE_CHECKING

import keras

from stackrec_keras import stacking
from stackrec_keras.plot.arguments import check_path
from stackrec_keras.plot.figure import finished, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def gates(model: keras.Model, path: str | PathLike | None = None) -> "Figure":
    """Draws the gates of a model's blocks, the bottom block first.

    Args:
        model: A model of `stackrec_keras`, its blocks with gates (`rezero=True`).
        path: Where to write the picture (`.png`, `.svg`, `.pdf`), or `None`.

    Returns:
        A `matplotlib.figure.Figure`. It belongs to no `pyplot` state.

    Raises:
        ValueError: If the blocks have no gates.

    Reference:
        [ReZero is All You Need, UAI 2021](https://arxiv.org/abs/2003.04887)
    """
    check_path(path)
    frame = stacking.gates(model)
    figure = new_figure(8.0, 3.0)
    axes = figure.subplots()
    width = 0.8 / len(frame.columns)
    for i, name in enumerate(frame.columns):
        axes.bar(frame.index + (i + 0.5) * width - 0.4, frame[name], width, label=name)
    axes.axhline(0, color="0.4", linewidth=1)
    axes.set_xlabel("block (from 0, the bottom one)")
    axes.set_ylabel("gate")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False)
    return finished(figure, path)

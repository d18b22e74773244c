from os import PathLike
from typing import TYPE_CHECKING

import keras

from stackrec_keras import stacking
from stackrec_keras.plot.figure import (
    check_picture_path,
    new_figure,
    write_figure,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def gates(model: keras.Model, path: str | PathLike | None = None) -> "Figure":
    """Draws the gates of a model's blocks, the bottom block first.

    Args:
        model: A model of `stackrec_keras` whose blocks have gates (`rezero=True`).
        path: Path (`.png`, `.svg`, `.pdf`) or binary file to write the figure to.
            Defaults to `None`.

    Returns:
        A `matplotlib.figure.Figure`, which is independent of `pyplot`.

    Raises:
        ArgumentError: If the blocks have no gates, or `path` is neither a path nor a
            binary file.

    Example:

    ```python
    sr.plot.gates(model, "gates.png")
    ```

    Reference:
        [ReZero is All You Need, UAI 2021](https://arxiv.org/abs/2003.04887)
    """
    check_picture_path(path)
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
    return write_figure(figure, path)

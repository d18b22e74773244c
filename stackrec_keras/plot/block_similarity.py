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


def block_similarity(
    model: keras.Model, path: str | PathLike | None = None
) -> "Figure":
    """Draws how similar the blocks of a model are to each other.

    Args:
        model: A model of `stackrec_keras`.
        path: Path (`.png`, `.svg`, `.pdf`) or binary file to write the figure to.
            Defaults to `None`.

    Returns:
        A `matplotlib.figure.Figure`, which is independent of `pyplot`.

    Raises:
        ArgumentError: If `path` is neither a path nor a binary file.

    Example:

    ```python
    sr.plot.block_similarity(model, "similarity.png")
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """
    check_picture_path(path)
    frame = stacking.block_similarity(model)
    figure = new_figure(5.0, 4.0)
    axes = figure.subplots()
    image = axes.imshow(frame, cmap="RdBu", vmin=-1, vmax=1, origin="lower")
    axes.set_xlabel("block (from 0, the bottom one)")
    axes.set_ylabel("block")
    for axis in (axes.xaxis, axes.yaxis):
        axis.get_major_locator().set_params(integer=True)
    figure.colorbar(image, label="cosine of their kernels")
    return write_figure(figure, path)

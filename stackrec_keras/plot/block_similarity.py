from os import PathLike
from typing import TYPE_CHECKING

import keras

from stackrec_keras import stacking
from stackrec_keras.plot.arguments import check_path
from stackrec_keras.plot.figure import finished, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def block_similarity(
    model: keras.Model, path: str | PathLike | None = None
) -> "Figure":
    """Draws how alike the blocks of a model are.

    Args:
        model: A model of `stackrec_keras`.
        path: Where to write the picture (`.png`, `.svg`, `.pdf`), or `None`.

    Returns:
        A `matplotlib.figure.Figure`. It belongs to no `pyplot` state.

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """
    check_path(path)
    frame = stacking.block_similarity(model)
    figure = new_figure(5.0, 4.0)
    axes = figure.subplots()
    image = axes.imshow(frame, cmap="RdBu", vmin=-1, vmax=1, origin="lower")
    axes.set_xlabel("block (from 0, the bottom one)")
    axes.set_ylabel("block")
    for axis in (axes.xaxis, axes.yaxis):
        axis.get_major_locator().set_params(integer=True)
    figure.colorbar(image, label="cosine of their kernels")
    return finished(figure, path)

from os import PathLike
from typing import TYPE_CHECKING, Any

from stackrec_keras import monitors
from stackrec_keras.plot.figure import (
    check_picture_path,
    new_figure,
    write_figure,
)
from stackrec_keras.stacking.perfect_growth import best_growth

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def growth_bound(
    shallow: Any,
    deep: Any,
    path: str | PathLike | None = None,
    monitor: str = "val_loss",
) -> "Figure":
    """Draws what a perfect growth step could save: see `sr.stacking.growth_bound`.

    The figure shows both learning curves over time. A dashed curve shows how the
    shallow model would continue if it grew at the best moment. It follows the
    deep model's curve from the point where the deep model was equally good.

    Args:
        shallow: The learning curve of the shallow model, as in
            `sr.stacking.growth_bound`.
        deep: The learning curve of the deep model.
        path: Path (`.png`, `.svg`, `.pdf`) or binary file to write the figure to.
            Defaults to `None`.
        monitor: String, the column to compare by. Defaults to `"val_loss"`.

    Returns:
        A `matplotlib.figure.Figure`, which is independent of `pyplot`.

    Raises:
        ArgumentError: If a curve is invalid: see `sr.stacking.growth_bound`.

    Example:

    ```python
    sr.plot.growth_bound(shallow.history, deep.history, "bound.png")
    ```
    """
    check_picture_path(path, f"monitor={monitor!r}")
    growth = best_growth(shallow, deep, monitor)
    sign = monitors.sign(monitor)
    figure = new_figure(8.0, 5.0)
    axes = figure.subplots()
    for name, curve in (("shallow", growth.shallow), ("deep", growth.deep)):
        axes.plot(curve.seconds, sign * curve.values, ".-", label=name)
    if growth.bound > 1:
        deep = growth.deep
        rest = deep.seconds > growth.credit
        seconds = deep.seconds[rest] - growth.credit + growth.at
        axes.plot(seconds, sign * deep.values[rest], "--", label="perfect growth step")
        axes.axvline(growth.at, color="0.6", linewidth=1)
    axes.set_title(f"A perfect growth step is {growth.bound:.2f} times as fast")
    axes.set_xlabel("training time (s)")
    axes.set_ylabel(monitor)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return write_figure(figure, path)

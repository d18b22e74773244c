import re
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING

import keras
import numpy as np
import pandas as pd

from stackrec_keras import monitors
from stackrec_keras.errors import ArgumentError
from stackrec_keras.plot.figure import (
    check_picture_path,
    new_figure,
    write_figure,
)
from stackrec_keras.wording import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LABEL_WIDTH = 0.15  # of a growth step's label, as a fraction of the epochs
_TITLES = {"mrr": "MRR", "hit_rate": "hit rate", "ndcg": "NDCG"}


def history(
    history: keras.callbacks.History | Mapping[str, Sequence] | pd.DataFrame,
    path: str | PathLike | None = None,
    metric: str | None = None,
) -> "Figure":
    """Draws a learning curve and marks the growth steps of the model.

    The upper part shows the metric, the lower part the losses. A dashed line marks each
    change of depth, between two epochs. Epochs without a finite value have no point.

    Args:
        history: What `fit` returned, its `.history`, or a frame with the same columns
            (`pandas.read_csv` of a run's `history.csv`). A column with fewer values
            than epochs is taken to be from `fit(..., validation_freq=n)`.
        path: Path (`.png`, `.svg`, `.pdf`) or binary file to write the figure to.
            Defaults to `None`.
        metric: String, the column for the upper part. Defaults to `None`:
            `"val_mrr@5"`, or `"loss"` if the model was not validated.

    Returns:
        A `matplotlib.figure.Figure`, which is independent of `pyplot`.

    Raises:
        ArgumentError: If `history` is not a history, lacks the column, has no epoch,
            or does not determine which epochs a column's values belong to.

    Example:

    ```python
    h = model.fit(x, y, validation_data=..., callbacks=[StackingCallback("stackC")])
    sr.plot.history(h, "curve.png")
    ```
    """
    check_picture_path(path, "metric='val_mrr@5'")
    check_history(history)
    columns = _columns(history)
    if metric is None:
        metric = "val_mrr@5" if "val_mrr@5" in columns else "loss"
    _check_metric(columns, metric)
    epochs = _epochs(history, columns)
    figure = new_figure(8.0, 5.0)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    _draw_metric(top, epochs, columns, metric)
    _draw_losses(bottom, epochs, columns)
    _mark_growth_steps((top, bottom), epochs, columns.get("num_blocks"))
    bottom.set_xlabel("epoch (from 0)")
    bottom.xaxis.get_major_locator().set_params(integer=True)
    return write_figure(figure, path)


def check_history(history, name="history"):
    """Checks that an argument is a history that `history` can draw."""
    columns = getattr(history, "history", history)
    if not isinstance(columns, (Mapping, pd.DataFrame)):
        raise ArgumentError(
            name,
            "must be what fit returned (h = model.fit(...)), its .history, or a frame "
            "with the same columns",
            received=history,
        )


def _columns(history):
    history = getattr(history, "history", history)
    return {str(name): [*history[name]] for name in history}


def _check_metric(columns, metric):
    if metric not in columns:
        known = ", ".join(columns) or "nothing"
        raise ArgumentError(
            "metric",
            f"is not in the history, which has {known}",
            "Name one of these. A name with val_ needs fit(..., validation_data=...).",
            metric,
        )
    if not columns[metric]:
        raise ArgumentError("history", "has no epoch", "Train for at least one.")


def _epochs(history, columns):
    epochs = columns.get("epoch", getattr(history, "epoch", None))
    return range(max(map(len, columns.values()))) if epochs is None else epochs


def _points(epochs, columns, name):
    """Returns the epochs in which a column has a finite value, and these values."""
    values = np.asarray(columns[name], float)
    if len(values) < len(epochs):
        epochs = _validated_epochs(epochs, len(values), name)
    has_value = np.isfinite(values)
    return np.asarray(epochs)[has_value], values[has_value]


def _validated_epochs(epochs, count, name):
    """Finds the only `validation_freq` that validates `count` epochs, and returns those
    epochs."""
    found = [[e for e in epochs if (e + 1) % n == 0] for n in range(2, epochs[-1] + 2)]
    found = [validated for validated in found if len(validated) == count]
    if len(found) != 1:
        raise ArgumentError(
            "history",
            f"has {counted(count, 'value')} of {name!r} for "
            f"{counted(len(epochs), 'epoch')}, and does not say which epochs they "
            "belong to",
            "Give a frame that has NaN in the epochs without a value.",
        )
    return found[0]


def _draw_metric(axes, epochs, columns, metric):
    epochs, values = _points(epochs, columns, metric)
    if len(values) == 0:
        raise ArgumentError(
            "metric",
            "has only NaN and infinite values in the history",
            "Name another column.",
            metric,
        )
    axes.plot(epochs, values, color="C0", marker="o", markersize=4)
    best = (monitors.sign(metric) * values).argmax()
    axes.set_title(
        f"best {_title(metric)}: {values[best]:.4f} in epoch {epochs[best]}",
        loc="left",
        fontsize="medium",
    )
    axes.set_ylabel(_axis_label(metric))
    axes.grid(alpha=0.3)
    low, high = min(values), max(values)
    # Room for the labels of the growth steps.
    axes.set_ylim(top=high + 0.25 * (high - low or 1))


def _draw_losses(axes, epochs, columns):
    for name, label, color in (
        ("loss", "training", "C1"),
        ("val_loss", "validation", "C2"),
    ):
        if name in columns:
            axes.plot(
                *_points(epochs, columns, name),
                color=color,
                marker="o",
                markersize=3,
                label=label,
            )
    axes.set_ylabel("loss (nats per target)")
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend(frameon=False)


def _mark_growth_steps(all_axes, epochs, depths):
    steps = _growth_steps(epochs, depths) if depths else []
    places = [(place - epochs[0]) / (epochs[-1] - epochs[0]) for place, _ in steps]
    for i, (place, label) in enumerate(steps):
        for axes in all_axes:
            axes.axvline(place, color="0.4", linestyle="--", linewidth=1)
        crowded = i % 2 and places[i] - places[i - 1] < _LABEL_WIDTH
        # Near the right edge, only the left side of the line has room.
        left = places[i] > 1 - _LABEL_WIDTH
        all_axes[0].annotate(
            label,
            (place, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-4 if left else 4, -18 if crowded else -4),
            textcoords="offset points",
            ha="right" if left else "left",
            va="top",
            fontsize="small",
            color="0.3",
        )


def _growth_steps(epochs, depths):
    """Returns the place on the axis and the label of each change of depth."""
    return [
        (epoch - 0.5, f"{int(before)} → {int(after)} blocks")
        for before, after, epoch in zip(
            depths[:-1], depths[1:], epochs[1:], strict=True
        )
        if after != before
    ]


def _axis_label(metric):
    where = "validation" if metric.startswith("val_") else "training"
    return f"{_title(metric)} ({where}, 0 to 1)" if "@" in metric else metric


def _title(metric):
    name, _, k = re.sub("^val_", "", metric).partition("@")
    return _TITLES.get(name, name) + (f"@{k}" if k else "")

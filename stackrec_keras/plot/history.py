import re
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING

import keras
import numpy as np
import pandas as pd

from stackrec_keras.plot.arguments import check_history, check_path
from stackrec_keras.plot.figure import finished, new_figure
from stackrec_keras.plot.gains import gains

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LABEL_WIDTH = 0.15  # of a growth, as a share of the epochs
_TITLES = {"mrr": "MRR", "hit_rate": "hit rate", "ndcg": "NDCG"}


def history(
    history: keras.callbacks.History | Mapping[str, Sequence] | pd.DataFrame,
    path: str | PathLike | None = None,
    metric: str | None = None,
) -> "Figure":
    """Draws a learning curve, with the growths of the model marked.

    Above the metric, below the loss. A dashed line stands where the number of
    blocks changed, between the two epochs. Epochs without a value, or with NaN,
    have no point.

    Args:
        history: What `fit` returned, its `.history`, or a frame with the same
            columns (`pandas.read_csv` of a run's `history.csv`). A column with
            fewer values than epochs is taken for that of a
            `fit(..., validation_freq=n)`.
        path: Where to write the picture (`.png`, `.svg`, `.pdf`), or `None`.
        metric: String, the column to draw above; by default `val_mrr@5`, or
            the loss where there was no validation.

    Returns:
        A `matplotlib.figure.Figure`. It belongs to no `pyplot` state.

    Raises:
        ValueError: If that is no history, or there is no such column, no epoch, or
            nothing that tells which epochs a column has values of.

    Example:

    ```python
    h = model.fit(x, y, validation_data=..., callbacks=[StackingCallback("stackC")])
    sr.plot.history(h, "curve.png")
    ```
    """
    check_path(path, "metric='val_mrr@5'")
    check_history(history)
    columns = _columns(history)
    if metric is None:
        metric = "val_mrr@5" if "val_mrr@5" in columns else "loss"
    _check(columns, metric)
    epochs = _epochs(history, columns)
    figure = new_figure(8.0, 5.0)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    _draw_metric(top, epochs, columns, metric)
    _draw_losses(bottom, epochs, columns)
    _mark_growths((top, bottom), epochs, columns.get("num_blocks"))
    bottom.set_xlabel("epoch (from 0)")
    bottom.xaxis.get_major_locator().set_params(integer=True)
    return finished(figure, path)


def _columns(history):
    history = getattr(history, "history", history)
    return {str(name): [*history[name]] for name in history}


def _check(columns, metric):
    if metric not in columns:
        known = ", ".join(columns) or "nothing"
        raise ValueError(
            f"metric={metric!r} is not in the history, which has {known}. Name one "
            "of these; a val_ metric is there after fit(..., validation_data=...)."
        )
    if not columns[metric]:
        raise ValueError("history has no epoch; train for at least one.")


def _epochs(history, columns):
    epochs = columns.get("epoch", getattr(history, "epoch", None))
    return range(max(map(len, columns.values()))) if epochs is None else epochs


def _points(epochs, columns, name):
    """The epochs that have a value in a column, and these values."""
    values = np.asarray(columns[name], float)
    if len(values) < len(epochs):
        epochs = _validated_epochs(epochs, len(values), name)
    has_value = np.isfinite(values)
    return np.asarray(epochs)[has_value], values[has_value]


def _validated_epochs(epochs, count, name):
    """Those that `validation_freq=n` leaves, where one n alone leaves so many."""
    found = [[e for e in epochs if (e + 1) % n == 0] for n in range(2, epochs[-1] + 2)]
    found = [validated for validated in found if len(validated) == count]
    if len(found) != 1:
        raise ValueError(
            f"history has {count} values of {name!r} in {len(epochs)} epochs, and does "
            "not tell in which. Give a frame with NaN in the others."
        )
    return found[0]


def _draw_metric(axes, epochs, columns, metric):
    epochs, values = _points(epochs, columns, metric)
    if len(values) == 0:
        raise ValueError(
            f"metric={metric!r} has no number in the history, only NaN or infinity. "
            "Name another column."
        )
    axes.plot(epochs, values, color="C0", marker="o", markersize=4)
    best = gains(metric, values).argmax()
    axes.set_title(
        f"best {_title(metric)}: {values[best]:.4f} in epoch {epochs[best]}",
        loc="left",
        fontsize="medium",
    )
    axes.set_ylabel(_axis_label(metric))
    axes.grid(alpha=0.3)
    low, high = min(values), max(values)
    # Room for the labels of the growths.
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
    axes.set_ylabel("loss (nats a target)")
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend(frameon=False)


def _mark_growths(all_axes, epochs, depths):
    growths = _growths(epochs, depths) if depths else []
    places = [(place - epochs[0]) / (epochs[-1] - epochs[0]) for place, _ in growths]
    for i, (place, label) in enumerate(growths):
        for axes in all_axes:
            axes.axvline(place, color="0.4", linestyle="--", linewidth=1)
        crowded = i % 2 and places[i] - places[i - 1] < _LABEL_WIDTH
        # At the right edge there is no room but on the other side of the line.
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


def _growths(epochs, depths):
    """A pair of place on the axis and label for each change of depth."""
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

from collections.abc import Mapping
from itertools import chain
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stackrec_keras import monitors
from stackrec_keras.errors import ArgumentError
from stackrec_keras.plot.figure import (
    check_picture_path,
    new_figure,
    write_figure,
)
from stackrec_keras.plot.history import check_history
from stackrec_keras.wording import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SECONDS = "training_seconds"


def quality_vs_time(
    runs: pd.DataFrame | Mapping,
    path: str | PathLike | None = None,
    metric: str = "val_mrr@5",
) -> "Figure":
    """Draws quality against training time and marks the front.

    A point is on the front if no other point is as good in as little time.

    Args:
        runs: A frame of trials (`sr.tuning.trials`), or a dict. The keys of the
            dict are names. Each value is a history, or a list of histories, such as one
            for each seed. A history is what `fit` returned, its `.history`, or a frame.
            Each trial is drawn as a point, coloured by depth, and each history as a
            curve. A history must have `training_seconds`, or `seconds` for each epoch,
            as in the `history.csv` of a run. If it has `num_blocks`, triangles mark the
            first epoch after each growth step.
        path: Path (`.png`, `.svg`, `.pdf`) or binary file to write the figure to.
            Defaults to `None`.
        metric: String, the column to draw. Higher is better, except for a loss.
            Defaults to `"val_mrr@5"`.

    Returns:
        A `matplotlib.figure.Figure`, which is independent of `pyplot`.

    Raises:
        ArgumentError: If a column is missing, or there is nothing to draw.

    Example:

    ```python
    sr.plot.quality_vs_time(sr.tuning.trials(tuner), "trials.png")
    sr.plot.quality_vs_time({"grown": history, "from scratch": other}, "runs.png")
    ```
    """
    check_picture_path(path, "metric='val_mrr@5'")
    _check_runs(runs)
    if isinstance(runs, pd.DataFrame):
        points = _points(runs, metric, "runs")
        groups = {name: [group] for name, group in _by_depth(points).items()}
        draw = _draw_points
    else:
        groups = {
            name: [
                _points(_frame(history), metric, f"runs[{name!r}]")
                for history in _listed(found)
            ]
            for name, found in runs.items()
        }
        points = pd.concat([pd.DataFrame(), *chain(*groups.values())])
        draw = _draw_curve
    if points.empty:
        raise ArgumentError("runs", "has no completed trial or epoch to draw")
    figure = new_figure(8.0, 5.0)
    axes = figure.subplots()
    for i, (name, frames) in enumerate(groups.items()):
        for frame in frames:
            label = name if frame is frames[0] else None
            draw(axes, frame, metric, color=f"C{i}", label=label)
    _draw_front(axes, points[_SECONDS].to_numpy(), points[metric].to_numpy(), metric)
    grows = draw is _draw_curve and "num_blocks" in points
    note = "; ▲: first epoch after a growth step" if grows else ""
    axes.set_xlabel(f"training time (s{note})")
    axes.set_ylabel(metric)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return write_figure(figure, path)


def _check_runs(runs):
    if isinstance(runs, pd.DataFrame):
        return
    if not isinstance(runs, Mapping):
        raise ArgumentError(
            "runs",
            "must be a frame of trials (sr.tuning.trials), or a dict from names to "
            "histories: {'grown': model.fit(...)}",
            received=runs,
        )
    for name, found in runs.items():
        for history in _listed(found):
            check_history(history, f"runs[{name!r}]")


def _listed(found):
    return found if isinstance(found, list) else [found]


def _draw_points(axes, frame, metric, **style):
    axes.plot(frame[_SECONDS], frame[metric], "o", markersize=5, **style)


def _draw_curve(axes, frame, metric, **style):
    axes.plot(frame[_SECONDS], frame[metric], ".-", markersize=5, **style)
    if "num_blocks" in frame:
        grown = frame[frame["num_blocks"].diff() > 0]
        axes.plot(grown[_SECONDS], grown[metric], "^", color=style["color"])


def _frame(history):
    return pd.DataFrame(getattr(history, "history", history))


def _points(frame, metric, argument):
    """Returns the rows of a frame that have a time and a value of the metric."""
    if _SECONDS not in frame and "seconds" in frame:
        frame = frame.assign(**{_SECONDS: frame["seconds"].cumsum()})
    for name in (_SECONDS, metric):
        if name not in frame:
            reason = f"has no {name!r}, only {', '.join(map(str, frame))}"
            raise ArgumentError(argument, reason)
    return frame.dropna(subset=[_SECONDS, metric])


def _by_depth(points):
    if "num_blocks" not in points:
        return {"trials": points}
    return {
        counted(depth, "block"): group for depth, group in points.groupby("num_blocks")
    }


def _draw_front(axes, seconds, values, metric):
    qualities = monitors.sign(metric) * np.asarray(values, float)
    # By time, and the best first among those with the same time.
    order = np.lexsort((-qualities, seconds))
    best_before = np.maximum.accumulate(np.r_[-np.inf, qualities[order][:-1]])
    front = order[qualities[order] > best_before]
    axes.plot(
        seconds[front],
        values[front],
        drawstyle="steps-post",
        color="0.3",
        linestyle="--",
        marker="o",
        markersize=10,
        markerfacecolor="none",
        label="front",
    )

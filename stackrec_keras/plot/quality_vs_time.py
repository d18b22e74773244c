from collections.abc import Mapping
from itertools import chain
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stackrec_keras.plot.arguments import check_history, check_path
from stackrec_keras.plot.figure import finished, new_figure
from stackrec_keras.plot.gains import gains

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SECONDS = "training_seconds"


def quality_vs_time(
    runs: pd.DataFrame | Mapping,
    path: str | PathLike | None = None,
    metric: str = "val_mrr@5",
) -> "Figure":
    """Draws quality against training time, with the front marked.

    On the front are those that nothing is better than in as little time.

    Args:
        runs: A frame of trials (`sr.tuning.trials`), each of which is a point, its
            colour saying its depth; or a dict from a name to a history (what `fit`
            returned, its `.history`, or a frame) or a list of them, such as one a
            seed, each of which is a curve. A history must have `training_seconds`,
            or `seconds` for each epoch as the `history.csv` of a run has it. If it
            has `num_blocks`, triangles mark the first epoch after each growth.
        path: Where to write the picture (`.png`, `.svg`, `.pdf`), or `None`.
        metric: String, the column to draw. Higher is better, but for a loss.

    Returns:
        A `matplotlib.figure.Figure`. It belongs to no `pyplot` state.

    Raises:
        ValueError: If a column is missing, or there is nothing to draw.

    Example:

    ```python
    sr.plot.quality_vs_time(sr.tuning.trials(tuner), "trials.png")
    sr.plot.quality_vs_time({"grown": history, "from scratch": other}, "runs.png")
    ```
    """
    check_path(path, "metric='val_mrr@5'")
    _check_runs(runs)
    if isinstance(runs, pd.DataFrame):
        points = _points(runs, metric, "The frame")
        groups = {name: [group] for name, group in _by_depth(points).items()}
        draw = _draw_points
    else:
        groups = {
            name: [
                _points(_frame(history), metric, f"The history {name!r}")
                for history in _listed(found)
            ]
            for name, found in runs.items()
        }
        points = pd.concat([pd.DataFrame(), *chain(*groups.values())])
        draw = _draw_curve
    if points.empty:
        raise ValueError("There is nothing to draw: no trial has been completed.")
    figure = new_figure(8.0, 5.0)
    axes = figure.subplots()
    for i, (name, frames) in enumerate(groups.items()):
        for frame in frames:
            label = name if frame is frames[0] else None
            draw(axes, frame, metric, color=f"C{i}", label=label)
    _draw_front(axes, points[_SECONDS].to_numpy(), points[metric].to_numpy(), metric)
    grows = draw is _draw_curve and "num_blocks" in points
    note = "; ▲: first epoch after a growth" if grows else ""
    axes.set_xlabel(f"training time (s{note})")
    axes.set_ylabel(metric)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return finished(figure, path)


def _check_runs(runs):
    if isinstance(runs, pd.DataFrame):
        return
    if not isinstance(runs, Mapping):
        raise ValueError(
            "runs must be a frame of trials (sr.tuning.trials), or a dict from names "
            f"to histories: {{'grown': model.fit(...)}}. Received: runs={runs!r}"
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


def _points(frame, metric, what):
    """The rows of a frame that have a time and a value of the metric."""
    if _SECONDS not in frame and "seconds" in frame:
        frame = frame.assign(**{_SECONDS: frame["seconds"].cumsum()})
    for name in (_SECONDS, metric):
        if name not in frame:
            raise ValueError(
                f"{what} has no {name!r}. It has {', '.join(map(str, frame))}."
            )
    return frame.dropna(subset=[_SECONDS, metric])


def _by_depth(points):
    if "num_blocks" not in points:
        return {"trials": points}
    return {
        f"{depth} block{'' if depth == 1 else 's'}": group
        for depth, group in points.groupby("num_blocks")
    }


def _draw_front(axes, seconds, values, metric):
    gained = gains(metric, values)
    # By time, and at the same time the best one first.
    order = np.lexsort((-gained, seconds))
    best_before = np.maximum.accumulate(np.r_[-np.inf, gained[order][:-1]])
    front = order[gained[order] > best_before]
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

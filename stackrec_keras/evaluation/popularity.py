"""The popularity baseline: the items that occur most often in training."""

import numpy as np

from stackrec_keras import metrics
from stackrec_keras.data import Windows

_BATCH = 256


def training_counts(windows: Windows) -> np.ndarray:
    """Returns an array `(num_items,)`, the count of each item in `windows`."""
    counts = np.zeros(windows.num_items + 1, np.int64)
    for part in windows.parts():
        counts += np.bincount(part.items.ravel(), minlength=len(counts))
    return counts[1:]


def popularity_results(
    counts: np.ndarray,
    windows: Windows,
    names: str | list[str] = "auto",
    exclude_seen: bool = False,
) -> dict[str, float]:
    """Evaluates a recommender that ranks all items by their training counts.

    Args:
        counts: Array `(num_items,)` of integers, the training count of each item.
        windows: `Windows`, the held-out rows.
        names: List of names of metrics. Defaults to `"auto"`: the default metrics.
        exclude_seen: Boolean, whether to leave out the items of each history. Defaults
            to `False`.

    Returns:
        Dict from metric to value.
    """
    scores = np.concatenate([[-np.inf], counts]).astype("float32")
    found = metrics.get(names)
    for start in range(0, len(windows), _BATCH):
        part = windows.subset(slice(start, start + _BATCH))
        seen, targets = part.evaluation_arrays()
        all_scores = np.tile(scores, (len(part), 1))
        if exclude_seen:
            np.put_along_axis(all_scores, seen, -np.inf, axis=1)
        for metric in found:
            metric.update_state(targets, all_scores)
    return {metric.name: float(metric.result()) for metric in found}

"""The popularity baseline: the items that occur most often in training."""

import numpy as np

from stackrec_keras import metrics
from stackrec_keras.data import Windows

_BATCH = 256


def training_counts(windows: Windows) -> np.ndarray:
    """Returns how often each item occurs in training rows, `(num_items,)`."""
    counts = np.bincount(windows.items.ravel(), minlength=windows.num_items + 1)
    return counts[1:]


def popularity_results(
    counts: np.ndarray,
    windows: Windows,
    names: str | list[str] = "auto",
    exclude_seen: bool = False,
) -> dict[str, float]:
    """Ranks all items by how often they occur in training, the same for every row.

    Args:
        counts: Array `(num_items,)` of integers, how often each item occurs.
        windows: `Windows`, the held-out rows.
        names: List of names of metrics. Defaults to `"auto"`: the default metrics.
        exclude_seen: Boolean, whether to leave out the items of each history. Defaults
            to `False`.

    Returns:
        Dict from metric to value.
    """
    scores = np.concatenate([[-np.inf], counts]).astype("float32")
    histories, targets = windows.evaluation_arrays()
    found = metrics.get(names)
    for start in range(0, len(targets), _BATCH):
        part = targets[start : start + _BATCH]
        all_scores = np.tile(scores, (len(part), 1))
        if exclude_seen:
            seen = histories[start : start + _BATCH]
            np.put_along_axis(all_scores, seen, -np.inf, axis=1)
        for metric in found:
            metric.update_state(part, all_scores)
    return {metric.name: float(metric.result()) for metric in found}

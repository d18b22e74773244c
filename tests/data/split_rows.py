"""Logs, windows and what is in the parts of a split, for tests of splits."""

import numpy as np
import pandas as pd

from stackrec_keras.data import Windows, read_interactions


def small_log(seed=0, users=30, items=25, events=400, times=60):
    rng = np.random.default_rng(seed)
    return read_interactions(
        pd.DataFrame(
            {
                "user": rng.integers(0, users, events) * 2,
                "item": rng.integers(0, items, events) + 100,
                "timestamp": rng.integers(0, times, events),
            }
        )
    )


def numbered_windows(rows):
    return Windows(
        np.arange(2 * rows, dtype=np.int32).reshape(rows, 2), np.arange(rows)
    )


def parts(split):
    return split.train, split.validation, split.test


def decoded(windows):
    """[(raw user or None, [raw items])] of the rows."""
    rows = []
    for user, row in zip(windows.users, windows.items, strict=True):
        raw = None if user < 0 else windows.user_ids[user]
        rows.append((raw, windows.vocabulary.decode(row[row > 0]).tolist()))
    return rows

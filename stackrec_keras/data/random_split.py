"""Training, validation and test rows, drawn at random."""

import numpy as np

from stackrec_keras.arguments import check_integer
from stackrec_keras.wording import counted

from .splits import Split, check_parts, check_shares, small_shares
from .windows import Windows, check_windows


def split_random(
    windows: Windows,
    test_share: float = 0.2,
    validation_share: float = 0.1,
    seed: int = 0,
) -> Split:
    """Splits windows at random, regardless of their user and time.

    Windows of one user fall into different parts, so this is a weaker test than
    `split_leave_one_out` and `split_by_time`. StackRec's reference implementation
    splits in this way, but without a validation part.

    Windows that overlap (`make_windows(..., stride=1)`) are split by user instead,
    because training must not see a test row. A model that learns users (SSEPT) then
    knows none of the test users; `split_leave_one_out` keeps every user in training.

    Args:
        windows: `Windows`.
        test_share: Float between 0 and 1, the fraction of all windows to hold out for
            the test. A split by user only approximates it, because users differ in
            their number of windows. Defaults to `0.2`.
        validation_share: Float, the fraction of all windows for validation. Defaults to
            `0.1`.
        seed: Integer of at least 0. Defaults to `0`.

    Returns:
        A `Split`, its rows in the order of `windows`.

    Raises:
        ArgumentError: If `windows` are not `Windows`, or a fraction is out of range or
            leaves a part without rows.

    Example:

    ```python
    split = split_random(make_windows(log, vocabulary, length=20))
    ```
    """
    check_windows("windows", windows)
    check_shares(test_share, validation_share)
    check_integer("seed", seed, 0)
    drawn = draw_parts(windows, test_share, validation_share, seed)
    parts = {name: windows.subset(rows) for name, rows in drawn.items()}
    split = Split(parts["train"], parts["validation"], parts["test"])
    cause = why_empty(windows, test_share, validation_share)
    return check_parts("windows", split, cause)


def draw_parts(windows, test_share, validation_share, seed):
    """Returns a dict from part name to the sorted indices of the part's rows."""
    test_rows = round(len(windows) * test_share)
    held_out = test_rows + round(len(windows) * validation_share)
    draw = _draw_users if windows.overlapping else _draw_rows
    parts = draw(windows, test_rows, held_out, np.random.default_rng(seed))
    return dict(zip(("test", "validation", "train"), parts))


def why_empty(windows, test_share, validation_share):
    """Returns why a part may have no rows, and what to do."""
    if len(windows) == 0:
        return (
            "there are no windows, because no history has enough items",
            "Give a log with longer histories, and check "
            "whether `make_windows` gave a warning.",
        )
    if not windows.overlapping:
        what = counted(len(windows), "window")
        return small_shares(what, test_share, validation_share)
    users = counted(len(np.unique(windows.users)), "user")
    why, _ = small_shares(users, test_share, validation_share)
    fix = "Give more users, windows without a stride, or use split_leave_one_out."
    return f"windows overlap and are split by user, and {why}", fix


def _draw_rows(windows, test_rows, held_out, rng):
    """Returns the test, validation and training rows, drawn row by row."""
    parts = np.split(rng.permutation(len(windows)), [test_rows, held_out])
    return [np.sort(part) for part in parts]


def _draw_users(windows, test_rows, held_out, rng):
    """As `_draw_rows`, but keeps all rows of a user together."""
    users, user_of_row, sizes = np.unique(
        windows.users, return_inverse=True, return_counts=True
    )
    order = rng.permutation(len(users))
    middles = np.cumsum(sizes[order]) - sizes[order] / 2
    part = np.empty(len(users), np.int64)
    part[order] = np.searchsorted([test_rows, held_out], middles, side="right")
    return [np.flatnonzero(part[user_of_row] == number) for number in range(3)]

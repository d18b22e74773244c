"""Training, validation and test rows, drawn at random."""

import numpy as np

from stackrec_keras.arguments import check_integer
from stackrec_keras.wording import counted

from .splits import Split, check_shares, checked, share_cause
from .windows import Windows, check_windows


def split_random(
    windows: Windows,
    test_share: float = 0.2,
    validation_share: float = 0.1,
    seed: int = 0,
) -> Split:
    """Splits windows at random, whatever user and time they are of.

    Windows of one user fall into different parts, so this measures less than the
    other two splits do; it is what the StackRec paper's release uses, with a
    validation part added.

    Windows that overlap (`make_windows(..., stride=1)`) are split by user instead: a
    test row must not be seen in training. A model of users (SSEPT) then meets those
    of the test for the first time; `split_leave_one_out` knows them all.

    Args:
        windows: `Windows`.
        test_share: Share of all windows that are held out for the test, 0 to 1.
            Where users are split it is as close as their windows allow.
        validation_share: Share of all windows, taken from what is left.
        seed: Integer from 0 up.

    Returns:
        A `Split`, its rows in the order of `windows`.

    Raises:
        ValueError: Those are no windows, or a share is out of range or leaves a part
            without rows.

    Example:

    ```python
    split = split_random(make_windows(log, vocabulary, length=20))
    ```
    """
    check_windows("windows", windows)
    check_shares(test_share, validation_share)
    check_integer("seed", seed, 0)
    test_rows = round(len(windows) * test_share)
    held_out = test_rows + round(len(windows) * validation_share)
    draw = _draw_users if windows.overlapping else _draw_rows
    test, validation, train = (
        windows.subset(rows)
        for rows in draw(windows, test_rows, held_out, np.random.default_rng(seed))
    )
    cause = share_cause(counted(len(windows), "window"), test_share, validation_share)
    if windows.overlapping:
        users = counted(len(np.unique(windows.users)), "user")
        cause = f"windows overlap and are split by user, and {users} are too few for "
        cause += f"test_share={test_share} and validation_share={validation_share}. "
        cause += "Give more users, windows without a stride, or split_leave_one_out."
    if len(windows) == 0:
        cause = (
            "there are no windows, as no history has enough items. Give a log with "
            "longer histories, and see what `make_windows` warned of, if it did."
        )
    return checked(Split(train, validation, test), cause)


def _draw_rows(windows, test_rows, held_out, rng):
    """The rows of the test, of validation and of training, drawn one by one."""
    parts = np.split(rng.permutation(len(windows)), [test_rows, held_out])
    return [np.sort(part) for part in parts]


def _draw_users(windows, test_rows, held_out, rng):
    """As `_draw_rows`, all rows of a user together."""
    users, user_of_row, sizes = np.unique(
        windows.users, return_inverse=True, return_counts=True
    )
    order = rng.permutation(len(users))
    middles = np.cumsum(sizes[order]) - sizes[order] / 2
    part = np.empty(len(users), np.int64)
    part[order] = np.searchsorted([test_rows, held_out], middles, side="right")
    return [np.flatnonzero(part[user_of_row] == number) for number in range(3)]

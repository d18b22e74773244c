"""Checks of what the functions of `plot` are given."""

from collections.abc import Mapping
from os import PathLike

import pandas as pd


def check_path(path, others=""):
    """Raises a ValueError if a picture cannot be written there.

    Args:
        path: What the caller gave.
        others: String, arguments that may have been meant, as they go by name.
    """
    if path is None or isinstance(path, (str, PathLike)) or hasattr(path, "write"):
        return
    by_name = f" Other arguments go by name: {others}." if others else ""
    raise ValueError(
        "path must be where to write the picture, such as 'plan.png', a binary file, "
        f"or None.{by_name} Received: path={path!r}"
    )


def check_history(history, name="history"):
    """Raises a ValueError if that is nothing that `fit` returned."""
    columns = getattr(history, "history", history)
    if not isinstance(columns, (Mapping, pd.DataFrame)):
        raise ValueError(
            f"{name} must be what fit returned (h = model.fit(...)), its .history, or "
            f"a frame with the same columns. Received: {name}={history!r}"
        )

"""Data sets that can be loaded by name."""

from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from stackrec_keras.arguments import check_choice

from .movielens import load_ml_1m
from .synthetic import synthetic


class DataSet(NamedTuple):
    """A function that returns a log, and what `stackrec data` prints about it."""

    load: Callable[[], pd.DataFrame]
    description: str


# To add a data set, add an entry here.
DATA_SETS = {
    "ml-1m": DataSet(
        load_ml_1m,
        "MovieLens 1M: 1,000,209 ratings of 3,706 films by 6,040 users; downloaded "
        "once, or read from ml-1m/ in the folder that STACKREC_DATA_DIR names",
    ),
    "synthetic": DataSet(
        synthetic,
        "120,000 generated events whose next item depends on items far back; takes a "
        "second",
    ),
}


def load(name: str) -> pd.DataFrame:
    """Loads a named data set as a log.

    - `"ml-1m"`: MovieLens 1M, 6,040 users, 3,706 films by title, 1,000,209 ratings. It
      is read from a local copy: `ml-1m/` in the folder that the environment variable
      `STACKREC_DATA_DIR` names, or in Keras's data cache. If there is no copy, it is
      downloaded once into that cache. It is for research use and must not be
      redistributed.
    - `"synthetic"`: the log of `synthetic()`.

    Args:
        name: String, one of the names above.

    Returns:
        A frame with the columns `user`, `item` and `timestamp`, sorted by user and
        time, as `read_interactions` returns it.

    Raises:
        ArgumentError: If the name is unknown.
        ValueError: If the local copy is cut off or changed.
        OSError: If there is no local copy and the download failed.

    Example:

    ```python
    log = load("ml-1m")
    ```
    """
    check_choice("name", name, DATA_SETS, "; to read a file, use `read_interactions`")
    return DATA_SETS[name].load()

"""Data sets with a name."""

import pandas as pd

from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import did_you_mean

from .movielens import load_ml_1m
from .synthetic import synthetic

# For another data set, add a line: its name and a function that returns a log.
_LOADERS = {
    "ml-1m": load_ml_1m,
    "synthetic": synthetic,
}


def load(name: str) -> pd.DataFrame:
    """Loads a named data set as a log.

    - `"ml-1m"`: MovieLens 1M, 6,040 users, 3,706 films by title, 1,000,209 ratings.
      It is taken from a local copy (`ml-1m/` in the folder that the environment
      variable `STACKREC_DATA_DIR` names, or in Keras' data cache), or fetched once and
      kept in that cache. It is for research use and must not be redistributed.
    - `"synthetic"`: the log of `synthetic()`.

    Args:
        name: String, one of the names above.

    Returns:
        A frame with the columns `user`, `item` and `timestamp`, sorted by user and
        time, as `read_interactions` returns it.

    Raises:
        ArgumentError: If the name is unknown.
        ValueError: If the local copy is cut off or changed.
        OSError: If there is no local copy and none could be fetched.

    Example:

    ```python
    log = load("ml-1m")
    ```
    """
    if not isinstance(name, str) or name not in _LOADERS:
        meant = did_you_mean(name, _LOADERS) if isinstance(name, str) else ""
        raise ArgumentError(
            "name",
            f"must be one of {sorted(_LOADERS)}",
            f"{meant} Read a file of your own with `read_interactions`.".lstrip(),
            name,
        )
    return _LOADERS[name]()

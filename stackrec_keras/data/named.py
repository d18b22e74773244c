"""Data sets that are known by name."""

import pandas as pd

from .arguments import shown
from .movielens import load_ml_1m
from .synthetic import synthetic

# One more data set is one more line: a name and a function that returns a log.
_LOADERS = {
    "ml-1m": load_ml_1m,
    "synthetic": synthetic,
}


def load(name: str) -> pd.DataFrame:
    """Loads a named data set as a log.

    - `"ml-1m"`: MovieLens 1M, 6,040 users, 3,706 films by title, 1,000,209 ratings.
      Taken from a local copy (`ml-1m/` in the folder that the environment variable
      `STACKREC_DATA_DIR` names, or in Keras' data cache), else fetched once and kept
      in that cache. For research use; it must not be redistributed.
    - `"synthetic"`: the log of `synthetic()`.

    Args:
        name: One of the names above.

    Returns:
        A frame with the columns `user`, `item` and `timestamp`, sorted by user and
        time, as `read_interactions` returns it.

    Raises:
        ValueError: The name is unknown, or the data found is not as it must be.
        OSError: The data is not here and could not be fetched.

    Example:

    ```python
    log = load("ml-1m")
    ```
    """
    if not isinstance(name, str) or name not in _LOADERS:
        raise ValueError(
            f"name={shown(name)} is no named data set; there are {sorted(_LOADERS)}. "
            "Read a file of your own with `read_interactions`."
        )
    return _LOADERS[name]()

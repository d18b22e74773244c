from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class GrowthRecord:
    """What a running schedule must remember if its fit is interrupted and resumed.

    It is not a plain dict, because Keras would track a dict as part of the model.

    Args:
        arrays: Dict from name to array, the state that the schedule continues from.
    """

    arrays: dict[str, np.ndarray]

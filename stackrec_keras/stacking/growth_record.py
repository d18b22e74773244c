from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class GrowthRecord:
    """What a running schedule must remember if its fit is interrupted and resumed.

    (Keras would mistake a plain dict for a part of the model.)

    Args:
        arrays: Dict from name to array, the state that the schedule continues from.
    """

    arrays: dict[str, np.ndarray]

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

    def steps_taken_back(self, epoch: int) -> int:
        """Returns how many training steps a fit that resumes at `epoch` has taken
        back, so far without the same number of steps in their place."""
        if int(self.arrays.get("epoch", -1)) != epoch - 1:  # left by an earlier fit
            return 0
        return int(self.arrays.get("steps_taken_back", 0))

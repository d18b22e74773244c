from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from stackrec_keras.stacking.growable import Growable
from stackrec_keras.stacking.in_place import optimizer_chain
from stackrec_keras.stacking.optimizer_state import (
    schedule_starts,
    set_schedule_starts,
    state_variables,
)


class Snapshot:
    """A copy of a model's weights, optimizer state and random states.

    Args:
        weights: List of arrays, as `model.get_weights` returns them.
        state: List of arrays, the state of the optimizer and of the random generators.
        starts: List of integers, as `schedule_starts` returns them.
    """

    def __init__(
        self,
        weights: Sequence[np.ndarray],
        state: Sequence[np.ndarray],
        starts: Sequence[int],
    ) -> None:
        self.weights = list(weights)
        self.state = list(state)
        self.starts = [int(start) for start in starts]

    @classmethod
    def of(cls, model: Growable) -> "Snapshot":
        """Copies the state that a model has now."""
        state = [ops.convert_to_numpy(v) for v in _other_variables(model)]
        return cls(model.get_weights(), state, schedule_starts(model))

    def restore(self, model: Growable) -> None:
        """Gives the model the copied state, at the depth that it had then.

        If items or users were added since then, they keep their weights, with a
        warning, and the optimizer's state for their tables stays as it is.
        """
        set_schedule_starts(model, self.starts)
        model.set_weights(self.weights)
        for variable, value in zip(_other_variables(model), self.state):
            if tuple(variable.shape) == value.shape:
                variable.assign(value)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Returns the snapshot as a dict of arrays."""
        arrays = {f"weights_{i:04d}": value for i, value in enumerate(self.weights)}
        arrays |= {f"state_{i:04d}": value for i, value in enumerate(self.state)}
        return {**arrays, "starts": np.array(self.starts, "int64")}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "Snapshot":
        """Restores a snapshot from the arrays that `to_arrays` returned."""
        weights, state = (
            [np.asarray(arrays[name]) for name in sorted(arrays) if prefix in name]
            for prefix in ("weights_", "state_")
        )
        return cls(weights, state, arrays["starts"].tolist())


def seed_states(model: keras.Model) -> list[keras.Variable]:
    """Returns the states of all random generators of a model."""
    weight_ids = {id(variable) for variable in model.weights}
    return [v for v in model.variables if id(v) not in weight_ids]


def _other_variables(model):
    optimizers = optimizer_chain(model)[:1]
    return [v for o in optimizers for v in state_variables(o)] + seed_states(model)

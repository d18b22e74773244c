from typing import Any

import keras


@keras.saving.register_keras_serializable(package="stackrec_keras")
class ContinuedSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A learning-rate schedule that continues when the optimizer's step count restarts.

    The schedule and the bias correction of a Keras optimizer read the same step count,
    `iterations`. When the optimizer's moments are reset, the bias correction needs this
    count to restart. The schedule must not restart, so this class adds `steps`.

    Args:
        schedule: The `LearningRateSchedule` to continue.
        steps: Integer, the number of steps that the schedule already took.
    """

    def __init__(
        self, schedule: keras.optimizers.schedules.LearningRateSchedule, steps: int
    ) -> None:
        super().__init__()
        self.schedule = schedule
        self.steps = int(steps)

    def __call__(self, step: Any) -> Any:
        return self.schedule(step + self.steps)

    def get_config(self) -> dict[str, Any]:
        schedule = keras.saving.serialize_keras_object(self.schedule)
        return {"schedule": schedule, "steps": self.steps}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ContinuedSchedule":
        schedule = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(schedule, config["steps"])

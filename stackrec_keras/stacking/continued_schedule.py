from typing import Any

import keras


@keras.saving.register_keras_serializable(package="stackrec_keras")
class ContinuedSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A learning-rate schedule that continues while the optimizer's steps start again.

    A Keras optimizer has one count of steps, `iterations`, which both its schedule and
    its bias correction follow. When its moments start again, the count must too.

    Args:
        schedule: The `LearningRateSchedule` to continue.
        steps: Integer, how many of its steps are over.
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

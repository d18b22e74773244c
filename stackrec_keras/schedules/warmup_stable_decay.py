from typing import Any

import keras
from keras import ops

from stackrec_keras.arguments import check_integer, check_number, is_integer
from stackrec_keras.errors import ArgumentError
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class WarmupStableDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises, stays, and falls at the end: warmup, stable, decay.

    The rate rises linearly over the warmup, stays at `learning_rate`, and falls
    linearly over the decay, so that it would be 0 after the last step. Because it stays
    high until the decay begins, a model can grow at any time before then.

    Unless `steps` gives it, the length of the training is the number of steps that the
    optimizer has already taken plus the steps of the fit. A resumed fit therefore has
    the same rates as a fit that was never interrupted.

    Args:
        learning_rate: Float, the rate between warmup and decay. Defaults to `1e-3`.
        warmup: How long the rate rises: an integer is a number of steps, a float a
            fraction of all steps. Defaults to `0`.
        decay: How long the rate falls, given like `warmup`. Defaults to `0.2`.
        steps: Integer, the number of steps of the whole training. Defaults to `None`:
            the `fit` of a `SequentialRecommender` sets it, and until then the rate is
            `learning_rate`.

    Raises:
        ArgumentError: If an argument is out of range. Also when a fit begins, if the
            number of steps is unknown, or too small for the warmup and the decay.

    Example:

    ```python
    rate = sr.schedules.WarmupStableDecay(3e-3, warmup=100, decay=0.2)
    model.compile(keras.optimizers.Adam(rate))
    model.fit(x, y, epochs=10, callbacks=[sr.StackingCallback("stackC")])
    ```

    Reference:
        [MiniCPM, 2024](https://arxiv.org/abs/2404.06395)
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        warmup: int | float = 0,
        decay: int | float = 0.2,
        steps: int | None = None,
    ) -> None:
        super().__init__()
        check_number("learning_rate", learning_rate)
        if not learning_rate > 0:
            raise ArgumentError(
                "learning_rate", "must be above 0", received=learning_rate
            )
        for name, part in (("warmup", warmup), ("decay", decay)):
            _check_part(name, part)
        self.learning_rate = float(learning_rate)
        self.warmup = warmup
        self.decay = decay
        self.steps = None
        self.fit_steps: int | None = None
        if steps is not None:
            check_integer("steps", steps, least=1)
            self._check_length(int(steps))
            self.steps = int(steps)

    def set_fit_steps(self, steps: int) -> None:
        """Sets the number of steps of the training, if the schedule leaves it to `fit`.

        Args:
            steps: Integer, the optimizer's step count at the end of the fit.

        Raises:
            ArgumentError: If the warmup and the decay take more steps than that.
        """
        if self.steps is None:
            self._check_length(steps)
            self.fit_steps = steps

    def __call__(self, step: Any) -> Tensor:
        step = ops.cast(step, "float32")
        rate = ops.cast(self.learning_rate, "float32")
        total = self.steps or self.fit_steps
        if total is None:
            return rate
        warmup, decay = _in_steps(self.warmup, total), _in_steps(self.decay, total)
        factor = ops.ones_like(step)
        if warmup:
            factor = ops.minimum(factor, (step + 1) / warmup)
        if decay:
            factor = ops.minimum(factor, (total - step) / decay)
        return rate * ops.maximum(factor, 0.0)

    def _check_length(self, steps):
        parts = {"warmup": self.warmup, "decay": self.decay}
        taken = {name: _in_steps(part, steps) for name, part in parts.items()}
        if sum(taken.values()) > steps:
            name = max(taken, key=lambda part: taken[part])
            raise ArgumentError(
                name,
                f"takes {taken[name]:,} of {steps:,} steps, so warmup and decay do not "
                "both fit",
                "Give a smaller value, or train for longer.",
                parts[name],
            )

    def get_config(self) -> dict[str, Any]:
        return {
            "learning_rate": self.learning_rate,
            "warmup": self.warmup,
            "decay": self.decay,
            "steps": self.steps,
            "fit_steps": self.fit_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "WarmupStableDecay":
        config = dict(config)
        fit_steps = config.pop("fit_steps", None)
        schedule = cls(**config)
        schedule.fit_steps = fit_steps
        return schedule


def _check_part(name, part):
    if is_integer(part) and part >= 0:
        return
    check_number(name, part)
    if is_integer(part) or not 0 <= part < 1:
        raise ArgumentError(
            name,
            "must be a number of steps (an integer of at least 0) or a fraction of "
            "all steps (a float from 0 to below 1)",
            received=part,
        )


def _in_steps(part, steps):
    """Returns a part of the training as a number of steps."""
    return int(part) if is_integer(part) else round(part * steps)

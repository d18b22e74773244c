import time
from typing import Any

import keras

from stackrec_keras.errors import ArgumentError
from stackrec_keras.stacking import schedules
from stackrec_keras.stacking.growable import Growable
from stackrec_keras.stacking.growth import Growth
from stackrec_keras.stacking.optimizer_state import check_optimizer
from stackrec_keras.stacking.schedules import RunningSchedule, Schedule


class StackingCallback(keras.callbacks.Callback):
    """Grows a model during `fit`, at the start of the epochs that a schedule names.

    It adds `num_blocks` and `growth_seconds` to the logs of every epoch.
    `growth_seconds` is the time that growing took before the epoch (0.0 if the model
    did not grow). If the schedule has `data_shares`, the callback also adds
    `data_share`.

    Args:
        method: String, a stacking method: see `stackrec_keras.stacking.methods`.
        schedule: When to grow, and to how many blocks: a dict from epoch (from 0) to
            number of blocks, a `StackingSchedule`, or `"plateau"` or `"look_ahead"`
            for the `StackingSchedule` of that name. Defaults to `None`: the initial
            depth doubles after 1/7 of the epochs, and again after 3/7 (rounded up).
        top_blocks: Integer, how many of the top blocks to stack. Defaults to `None`,
            all blocks.
        cycle: Integer, the number of blocks after which the kinds of block repeat.
            Defaults to `None`: 1 with `inherit="paper"`, otherwise the model's own
            cycle.
        inherit: `"all"` carries every weight that has a source; `"all_but_gates"`
            also carries them, but sets all gates to 0; `"paper"` carries what
            StackRec's reference implementation carries. Defaults to `"all"`.
        optimizer_state: `"carry"` moves the optimizer's state with the weights;
            `"reset"` resets its moments and step count, while the learning rate and its
            schedule continue. Defaults to `"reset"`.
        seed: Integer, the seed of new random blocks. They depend only on the seed and
            on the old and new depth. Defaults to `0`.

    Raises:
        ArgumentError: If an argument is wrong. `fit` raises it too, before training,
            if the schedule, method or optimizer does not suit the model, or if there
            is more than one `StackingCallback`.

    Example:

    ```python
    model = sr.NextItNet(num_items, num_blocks=4)
    model.compile()
    model.fit(x, y, epochs=7, callbacks=[sr.StackingCallback("stackC")])
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """

    def __init__(
        self,
        method: str,
        schedule: Schedule | dict[int, int] | str | None = None,
        top_blocks: int | None = None,
        cycle: int | None = None,
        inherit: str = "all",
        optimizer_state: str = "reset",
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.growth = Growth(method, top_blocks, cycle, inherit, optimizer_state, seed)
        self.schedule = schedules.get(schedule)
        self._running: Any = None  # the `RunningSchedule` of the current fit
        self._seconds = 0.0

    def __repr__(self) -> str:
        return f"StackingCallback({self.growth.method!r}, {self.schedule!r})"

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self._running = self.check(self.model, self.params["epochs"])

    def check(self, model: keras.Model, epochs: int) -> RunningSchedule:
        """Checks that a model can grow as planned, and returns the schedule for a fit.

        `fit` calls it before training.

        Args:
            model: A compiled model.
            epochs: Integer, the number of epochs of the fit.

        Raises:
            ArgumentError: If schedule, method or optimizer do not fit the model.
        """
        if not isinstance(model, Growable):
            raise ArgumentError(
                "callbacks",
                "has a StackingCallback, which cannot grow a model of type "
                f"{type(model).__name__}",
                "It grows NextItNet and the other models of this package. If such a "
                "model is part of yours, write a callback whose on_epoch_begin calls "
                "the part's grow().",
            )
        check_optimizer(model)
        running = self.schedule.start(model, epochs, self.growth)
        self.growth.check(model, running.depths())
        return running

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        start = time.perf_counter()
        line = self._running.begin(epoch)
        self._seconds = time.perf_counter() - start if line else 0.0
        self._say(line)
        for num_blocks in self._running.due(epoch):
            if num_blocks > self.model.num_blocks:
                self._grow(epoch, num_blocks)

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        if self._running is not None:  # `None` in `evaluate`
            self._running.validated({f"val_{k}": v for k, v in (logs or {}).items()})

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = {} if logs is None else logs
        self._running.observe(epoch, logs)
        logs["num_blocks"] = self.model.num_blocks
        logs["growth_seconds"] = self._seconds
        if self.schedule.data_shares:
            logs["data_share"] = self.data_share(epoch)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        self._say(self._running.finish())
        self._running = self.model.growth_record = None

    def data_share(self, epoch: int) -> float:
        """Returns the fraction of the training rows to use at an epoch of the running
        fit."""
        return self.schedule.data_share(epoch, self.params["epochs"])

    def _grow(self, epoch, num_blocks):
        old, start = self.model.num_blocks, time.perf_counter()
        self.model.grow(num_blocks=num_blocks, **vars(self.growth))
        seconds = time.perf_counter() - start
        self._seconds += seconds
        self._say(
            f"epoch {epoch} (shown as {epoch + 1}/{self.params['epochs']}): "
            f"{self.growth.method} {old} -> {num_blocks} blocks, {seconds:.1f} s"
        )

    def _say(self, line):
        if line and self.params.get("verbose", 1):
            print(line, flush=True)

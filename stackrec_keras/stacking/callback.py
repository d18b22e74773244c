import time
import warnings

import keras

from stackrec_keras.stacking.growth import Growth, block_stacks
from stackrec_keras.stacking.optimizer_state import check_optimizer
from stackrec_keras.stacking.plateau import Plateau
from stackrec_keras.stacking.schedule import DoublingSchedule, StackingSchedule

Schedule = StackingSchedule | DoublingSchedule | Plateau


class StackingCallback(keras.callbacks.Callback):
    """Grows a model inside `fit`, at the beginning of the epochs of a schedule.

    It writes `num_blocks` and `growth_seconds` (the seconds that the growth before
    this epoch took, 0.0 if there was none) into the logs of every epoch; and
    `data_share`, if the schedule has shares of the data.

    Args:
        method: String, a stacking method: see `stackrec_keras.stacking.methods`.
        schedule: When to grow to how many blocks: a dict from epoch (from 0) to
            number of blocks, a `StackingSchedule`, or `"plateau"` for
            `StackingSchedule.plateau()`. `None` doubles the depth that the model
            was built with twice, after 1/7 and 3/7 of the epochs (rounded up).
        top_blocks: Integer or `None`: stack only that many of the top blocks.
        cycle: Integer or `None`: after how many blocks the kind of block repeats.
            `None` leaves it to the model.
        inherit: `"all"` carries every weight that has a source; `"all_but_gates"`
            the same, with all gates at 0 again; `"paper"` what StackRec's release
            carries.
        optimizer_state: `"carry"` moves the optimizer's state with the weights;
            `"reset"` begins its moments and step count again, while the learning rate
            and its schedule go on. Defaults to `"carry"`.
        seed: Integer. New random blocks depend on it and on the two depths alone.

    Raises:
        ValueError: At once if an argument is not one of those it may be; when `fit`
            begins, before any training, if schedule, method, model and optimizer
            do not fit together, or another `StackingCallback` is there.

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
        optimizer_state: str = "carry",
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.growth = Growth(method, top_blocks, cycle, inherit, optimizer_state, seed)
        self.schedule = _schedule(schedule)
        self._table: dict[int, int] = {}
        self._seconds = 0.0
        self._validated_best: list | None = None

    def __repr__(self) -> str:
        return f"StackingCallback({self.growth.method!r}, {self.schedule!r})"

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        model = self.model
        if not hasattr(model, "initial_blocks"):
            raise ValueError(
                "StackingCallback grows a SequentialRecommender (NextItNet, ...). "
                f"Received: {type(model).__name__}. Call grow() of a model that is a "
                "part of it in the on_epoch_begin of a callback of your own."
            )
        check_optimizer(model)
        if isinstance(self.schedule, Plateau):
            self._check_monitor(model)
            step = self.growth.top_blocks
            if not self.schedule.depths(model.initial_blocks, step):
                raise ValueError(
                    f"max_blocks={self.schedule.max_blocks} leaves no growth for a "
                    f"model built with {model.initial_blocks} blocks. Give more."
                )
            self._check_path(self.schedule.depths(model.num_blocks, step))
        else:
            self._table = self.schedule.table(
                model.initial_blocks,
                self.params["epochs"],
                step=self.growth.top_blocks,
                num_blocks=model.num_blocks,
            )
            self._check_path(self._table.values())
            self._warn_of_late_growths()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        model = self.model
        self._seconds = 0.0
        if epoch == 0:
            self._warn_of_past_growths()
        for num_blocks in self._due(model, epoch):
            old, start = model.num_blocks, time.perf_counter()
            model.grow(num_blocks=num_blocks, **vars(self.growth))
            seconds = time.perf_counter() - start
            self._seconds += seconds
            self._say(
                f"epoch {epoch}: {self.growth.method} {old} -> {num_blocks} blocks, "
                f"{seconds:.1f} s (Epoch {epoch + 1}/{self.params['epochs']})"
            )

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        # The weights that were validated: SwapEMAWeights, whose turn is later, takes
        # its averages out of the model again.
        schedule, record = self.schedule, self.model.growth_record
        if not isinstance(schedule, Plateau) or not schedule.restore_best:
            return
        validation = {f"val_{name}": value for name, value in (logs or {}).items()}
        value = validation.get(schedule.monitor)
        if None not in (record, value) and schedule.is_best(record, value):
            self._validated_best = self.model.get_weights()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        model = self.model
        logs = {} if logs is None else logs
        if isinstance(self.schedule, Plateau):
            model.growth_record.epoch = epoch
            if self.schedule.monitor in logs:
                self._observe(model, logs[self.schedule.monitor])
        logs["num_blocks"] = model.num_blocks
        logs["growth_seconds"] = self._seconds
        if self.schedule.data_shares:
            logs["data_share"] = self.data_share(epoch)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        model = self.model
        record, model.growth_record = model.growth_record, None
        if not isinstance(self.schedule, Plateau):
            return
        if record is None or not record.best_weights:  # no epoch, or none wanted
            return
        model.set_weights(record.best_weights)
        self._say(
            f"restored the best {self.schedule.monitor} ({abs(record.best):.4f}), "
            f"with {model.num_blocks} blocks"
        )

    def data_share(self, epoch: int) -> float:
        """Returns the share of the training rows that is due at an epoch of the
        running fit."""
        if not self.schedule.data_shares:
            return 1.0
        return self.schedule.data_share(epoch, self.params["epochs"])

    def _due(self, model, epoch):
        # All growths due by now, one after the other: a run that goes on from a
        # shallower checkpoint grows as the run would have that never stopped.
        if not isinstance(self.schedule, Plateau):
            due = [depth for start, depth in self._table.items() if start <= epoch]
        else:
            record = model.growth_record
            if record is None or record.epoch != epoch - 1:
                record = self.schedule.start(epoch, model.num_blocks)
                model.growth_record = record
            due = [record.due]
        return [depth for depth in due if depth > model.num_blocks]

    def _observe(self, model, value):
        best = self.schedule.observe(
            model.growth_record,
            float(value),
            model.num_blocks,
            self.growth.top_blocks,
        )
        if best and self.schedule.restore_best:
            weights = self._validated_best or model.get_weights()
            model.growth_record.best_weights = weights
        self._validated_best = None

    def _check_path(self, depths):
        now = self.model.num_blocks
        path = [now, *(depth for depth in depths if depth > now)]
        for stack in block_stacks(self.model):
            for old, new in zip(path, path[1:]):
                self.growth.sources(stack, old, new)

    def _warn_of_past_growths(self):
        model = self.model
        past = {e: n for e, n in self._table.items() if e and n <= model.num_blocks}
        if past:
            warnings.warn(
                f"The model was built with {model.initial_blocks} blocks and has "
                f"{model.num_blocks} already: the growths {past} of "
                f"schedule={self._table} will not be. Give depths beyond "
                f"{model.num_blocks}, such as StackingCallback("
                f"{self.growth.method!r}, {{1: {2 * model.num_blocks}}}).",
                stacklevel=2,
            )

    def _warn_of_late_growths(self):
        epochs = self.params["epochs"]
        late = {e: depth for e, depth in self._table.items() if e >= epochs}
        if late and not getattr(self.schedule, "partial", False):
            warnings.warn(
                f"The last epoch of this fit is {epochs - 1} (epochs count from 0): "
                f"it ends before the growths {late} of schedule={self._table}. Give "
                "more epochs or earlier growths, or StackingSchedule(..., "
                "partial=True) if this fit is the first part of a longer run.",
                stacklevel=2,
            )

    def _check_monitor(self, model):
        names = ["loss", *(f"val_{metric.name}" for metric in model.metrics)]
        if self.schedule.monitor not in names:
            raise ValueError(
                f"monitor={self.schedule.monitor!r} is not among the logs of this "
                f"model: {', '.join(names)}. Monitor one of these, or compile with "
                "that metric."
            )

    def _say(self, line):
        if self.params.get("verbose", 1):
            print(line, flush=True)


def _schedule(schedule):
    if schedule is None:
        return DoublingSchedule()
    if schedule == "plateau":
        return StackingSchedule.plateau()
    if isinstance(schedule, Schedule):
        return schedule
    if isinstance(schedule, dict):
        return StackingSchedule(schedule)
    raise ValueError(
        "schedule must be None, a dict from epoch to number of blocks, a "
        f"StackingSchedule or 'plateau'. Received: schedule={schedule!r}"
    )

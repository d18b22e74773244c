from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from stackrec_keras.arguments import check_integer, is_integer, is_number
from stackrec_keras.errors import ArgumentError, warn
from stackrec_keras.stacking.schedules.look_ahead import LookAhead
from stackrec_keras.stacking.schedules.plateau import Plateau
from stackrec_keras.stacking.schedules.stages import stages
from stackrec_keras.stacking.schedules.table import (
    RunningTable,
    TableSchedule,
    check_grows,
)
from stackrec_keras.wording import counted

if TYPE_CHECKING:
    from stackrec_keras.stacking.growable import Growable
    from stackrec_keras.stacking.growth import Growth


class StackingSchedule(TableSchedule):
    """A table of epochs and depths. The model grows to each depth at the start of the
    depth's epoch.

    Args:
        depths: Dict from epoch (from 0, as in Keras' callbacks) to number of
            blocks. Before the first of these epochs, the model keeps its depth.
        data_shares: Dict from epoch to fraction of the training rows, above 0 and at
            most 1: training sees that fraction from that epoch on. The dict must
            include epoch 0, and fractions must not decrease. A larger fraction includes
            the rows of all smaller ones. The batches given to `fit` choose the rows,
            and must come from `windows.batches(share_by=...)`. Defaults to `None`, all
            rows in every epoch.
        partial: Boolean, whether a fit is the first part of a longer run, so that it
            may end before the model has grown. Defaults to `False`.

    Raises:
        ArgumentError: If `depths` is empty, has an epoch or a depth that is not an
            integer, or has depths that do not increase, or if `data_shares` is
            invalid.

    Example:

    ```python
    StackingSchedule({2: 8, 5: 16})  # 8 blocks from epoch 2 on, 16 from epoch 5
    StackingSchedule({2: 8}, data_shares={0: 0.4, 2: 1.0})  # and all rows from epoch 2
    StackingSchedule.shares([4, 8, 16], [1, 2, 4])  # for any number of epochs
    StackingSchedule.plateau(max_blocks=32)  # when the metric stops improving
    StackingSchedule.look_ahead(max_blocks=32)  # as long as a trial shows a gain
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """

    def __init__(
        self,
        depths: dict[int, int],
        data_shares: dict[int, float] | None = None,
        partial: bool = False,
    ) -> None:
        self.depths = _checked_depths(depths)
        self.data_shares = None
        if data_shares is not None:
            self.data_shares = _checked_data_shares(dict(data_shares))
        self.partial = partial

    @classmethod
    def shares(
        cls,
        num_blocks: Sequence[int],
        shares: Sequence[float],
        data_shares: Sequence[float] | None = None,
    ) -> "StackingSchedule":
        """A schedule whose stages take fractions of the epochs of the fit.

        Args:
            num_blocks: List of integers, the depth of each stage. The first one is the
                depth that the model is built with.
            shares: List of positive numbers, the length of each stage relative to
                the others. The start of a stage is rounded up to a whole epoch, and
                every stage has at least one epoch.
            data_shares: List, the fraction of the training rows that each stage
                sees, as in `StackingSchedule`. Defaults to `None`, all rows.

        Returns:
            A `StackingSchedule`.

        Raises:
            ArgumentError: If the lists differ in length, the depths do not increase, or
                a length is not positive.
        """
        return ShareSchedule(num_blocks, shares, data_shares)

    @classmethod
    def plateau(
        cls,
        monitor: str = "val_mrr@5",
        patience: int = 2,
        min_gain: float = 0.0,
        max_blocks: int = 64,
        restore_best: bool = True,
    ) -> Plateau:
        """The depth autopilot: grows when a metric stops improving.

        It stops growing after a growth step that gained less than `min_gain`. The gain
        is the best value after the step minus the best value before it. The schedule
        never stops the training; use `EarlyStopping` for that.

        Args:
            monitor: String, a key of the logs. Higher values are better, unless the key
                ends in `"loss"`. Defaults to `"val_mrr@5"`.
            patience: Integer, epochs without improvement before a growth step.
                Defaults to `2`.
            min_gain: Float, the smallest gain after which growing continues. Defaults
                to `0.0`.
            max_blocks: Integer, the greatest depth. Defaults to `64`.
            restore_best: Boolean, whether the model ends with the weights and depth of
                its best epoch. Defaults to `True`.

        Returns:
            A schedule for `StackingCallback`.

        Raises:
            ArgumentError: If `patience` or `max_blocks` is not an integer of at least
                1, `min_gain` is not a number, or `restore_best` is not a boolean.
        """
        return Plateau(monitor, patience, min_gain, max_blocks, restore_best)

    @classmethod
    def look_ahead(
        cls,
        monitor: str = "val_loss",
        start_epoch: int = 1,
        trial_epochs: int = 2,
        min_gain: float = 0.01,
        max_blocks: int = 64,
    ) -> LookAhead:
        """The autopilot that tries a growth step, and takes it back if it does not pay.

        A trial trains the model twice from the same state and with the same learning
        rates: first at its own depth, then grown. If the grown model's best value is
        better by at least `min_gain`, it stays, and the next trial begins. If not, the
        fit goes on from the end of the trial's first half, with the weights, optimizer
        state and random states of that moment. The next trial begins `trial_epochs`
        epochs later.

        Trials are part of the epochs of the fit. A trial takes `2 * trial_epochs`, and
        begins only if more epochs are left. A fit that is stopped during a trial takes
        it back. A learning-rate schedule skips the steps that a trial has taken twice,
        so it ends with the fit. A `LearningRateScheduler` does not know of trials, and
        the patience of `EarlyStopping` should exceed `2 * trial_epochs`. While
        `FreezeStack` keeps weights frozen, no trial begins. During a trial, the memory
        and the files of the model hold its state twice.

        Args:
            monitor: String, a key of the logs. Higher values are better, unless the key
                ends in `"loss"`. Defaults to `"val_loss"`.
            start_epoch: Integer of at least 1, the epoch of the first trial. Defaults
                to `1`.
            trial_epochs: Integer, how many epochs with a value of `monitor` each half
                of a trial takes. Defaults to `2`.
            min_gain: Float, the smallest gain for which the model stays grown. Defaults
                to `0.01`, which is about 1% of probability for a loss.
            max_blocks: Integer, the greatest depth. Defaults to `64`.

        Returns:
            A schedule for `StackingCallback`.

        Raises:
            ArgumentError: If `start_epoch`, `trial_epochs` or `max_blocks` is not an
                integer of at least 1, or `min_gain` is not a number.

        Reference:
            [Landscape-aware growing, 2024](https://arxiv.org/abs/2406.02469)
        """
        return LookAhead(monitor, start_epoch, trial_epochs, min_gain, max_blocks)

    def table(
        self,
        initial_blocks: int,
        epochs: int,
        step: int | None = None,
        num_blocks: int | None = None,
    ) -> dict[int, int]:
        """Returns the epochs at which a model grows, and the new depths.

        Args:
            initial_blocks: Integer, the depth that the model was built with.
            epochs: Integer, the number of epochs of the fit.
            step: Integer, how many blocks a growth step adds. Defaults to `None`; only
                a schedule without depths of its own uses it.
            num_blocks: Integer, the depth that the model has now. Defaults to `None`,
                which means `initial_blocks`.

        Returns:
            A dict from epoch to number of blocks.

        Raises:
            ArgumentError: If the schedule does not fit the depth or the epochs.
        """
        first = next(iter(self.depths.values()))
        if first < initial_blocks:
            raise ArgumentError(
                "schedule",
                f"starts with {counted(first, 'block')}, but the model was built with "
                f"{initial_blocks}, and a model only grows deeper",
                f"Build it with at most {counted(first, 'block')}, or give deeper "
                "stages.",
                self.depths,
            )
        steps = [e for e, depth in self.depths.items() if depth > initial_blocks]
        if not steps or (not self.partial and steps[0] >= epochs):
            raise ArgumentError(
                "schedule",
                "has no growth step left: the model was built with "
                f"{counted(initial_blocks, 'block')}, and the last epoch of this fit "
                f"is {epochs - 1} (epochs count from 0)",
                "Give more blocks at an earlier epoch, or StackingSchedule(..., "
                "partial=True) if this fit is the first part of a longer run.",
                self.depths,
            )
        return self.depths

    def start(self, model: "Growable", epochs: int, growth: "Growth") -> "RunningTable":
        running = super().start(model, epochs, growth)
        late = {e: depth for e, depth in running.table.items() if e >= epochs}
        if late and not self.partial:
            warn(
                f"The last epoch of this fit is {epochs - 1} (epochs count from 0), "
                f"so the fit ends before the growth steps {late} of "
                f"schedule={running.table}. Give more epochs or earlier steps, or "
                "StackingSchedule(..., partial=True) if this fit is the first part of "
                "a longer run."
            )
        return running

    def data_share(self, epoch: int, epochs: int) -> float:
        """Returns the fraction of the training rows to use at `epoch` in a fit of
        `epochs` epochs."""
        shares = self.data_shares or {0: 1.0}
        return [share for start, share in shares.items() if start <= epoch][-1]

    def __repr__(self):
        shares = f", data_shares={self.data_shares}" if self.data_shares else ""
        return f"StackingSchedule({self.depths}{shares}, partial={self.partial})"


class ShareSchedule(StackingSchedule):
    """Stages whose lengths are fractions of the fit: see `StackingSchedule.shares`."""

    def __init__(
        self,
        num_blocks: Sequence[int],
        shares: Sequence[float],
        data_shares: Sequence[float] | None = None,
    ) -> None:
        self.num_blocks, self.stage_shares = list(num_blocks), list(shares)
        self._check()
        if data_shares is not None and len(data_shares) != len(shares):
            raise ArgumentError(
                "data_shares",
                f"must have an entry for each of the {len(shares)} stages",
                received=data_shares,
            )
        super().__init__(
            dict(enumerate(num_blocks)),
            None if data_shares is None else dict(enumerate(data_shares)),
        )

    def table(
        self,
        initial_blocks: int,
        epochs: int,
        step: int | None = None,
        num_blocks: int | None = None,
    ) -> dict[int, int]:
        if self.num_blocks[0] not in (initial_blocks, num_blocks):
            raise ArgumentError(
                "schedule",
                f"starts with {counted(self.num_blocks[0], 'block')}, but the model "
                f"was built with {initial_blocks}",
                f"Let num_blocks start with {initial_blocks}.",
                self,
            )
        return stages(self.num_blocks, self.stage_shares, epochs)

    def data_share(self, epoch: int, epochs: int) -> float:
        if not self.data_shares:
            return 1.0
        starts = [0, *stages(self.num_blocks, self.stage_shares, epochs)]
        stage = sum(start <= epoch for start in starts) - 1
        return self.data_shares[stage]

    def __repr__(self):
        shares = ""
        if self.data_shares:
            shares = f", data_shares={list(self.data_shares.values())}"
        return (
            f"StackingSchedule.shares({self.num_blocks}, {self.stage_shares}{shares})"
        )

    def _check(self):
        shares, num_blocks = self.stage_shares, self.num_blocks
        if len(num_blocks) < 2:
            raise ArgumentError(
                "num_blocks", "must have at least two stages", received=num_blocks
            )
        for number in num_blocks:
            check_integer("num_blocks", number, least=1)
        check_grows("num_blocks", num_blocks, num_blocks)
        if len(num_blocks) != len(shares):
            raise ArgumentError(
                "shares",
                f"must have an entry for each of the {len(num_blocks)} stages",
                received=shares,
            )
        if not all(is_number(share) and share > 0 for share in shares):
            raise ArgumentError("shares", "must be positive numbers", received=shares)


def _checked_depths(depths):
    """Returns a table of depths in the order of its epochs."""
    if not isinstance(depths, Mapping) or not depths:
        raise ArgumentError(
            "schedule",
            "must be a dict from epoch to number of blocks, such as {2: 8, 5: 16}",
            received=depths,
        )
    for epoch, number in depths.items():
        if not (is_integer(epoch) and epoch >= 0 and is_integer(number) and number > 0):
            raise ArgumentError(
                "schedule",
                "must map epochs (integers from 0) to numbers of blocks "
                "(integers from 1)",
                received=depths,
            )
    table = {int(epoch): int(number) for epoch, number in sorted(depths.items())}
    check_grows("schedule", list(table.values()), depths)
    return table


def _checked_data_shares(shares):
    """Checks `data_shares`, and returns it sorted by epoch."""
    if not all(is_integer(epoch) and epoch >= 0 for epoch in shares):
        raise ArgumentError(
            "data_shares",
            "must map epochs (integers from 0) to fractions",
            received=shares,
        )
    if 0 not in shares:
        raise ArgumentError(
            "data_shares",
            "must give the fraction for epoch 0",
            "Give a dict such as {0: 0.4, 3: 1.0}, or None for all rows.",
            shares,
        )
    table = dict(sorted(shares.items()))
    fractions = list(table.values())
    if not all(is_number(fraction) and 0 < fraction <= 1 for fraction in fractions):
        raise ArgumentError(
            "data_shares",
            "must be fractions above 0 and at most 1",
            received=shares,
        )
    if fractions != sorted(fractions):
        raise ArgumentError("data_shares", "must never shrink", received=shares)
    return {int(epoch): float(fraction) for epoch, fraction in table.items()}

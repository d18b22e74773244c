"""Stacking schedules: which depth is due at which epoch."""

from collections.abc import Sequence
from itertools import accumulate

from stackrec_keras.arguments import check_integer
from stackrec_keras.stacking.plateau import Plateau


class StackingSchedule:
    """A table of epochs and depths: from that epoch on, that many blocks.

    Args:
        depths: Dict from epoch (from 0, as in Keras' callbacks) to number of
            blocks. Before its first epoch the model keeps the depth it has.
        data_shares: Dict from epoch to share of the training rows, above 0 and at
            most 1: from that epoch on, that many. It says what epoch 0 begins with,
            and shares never shrink. What is in a share is in all larger ones; which
            rows those are, the batches say (`windows.batches(share_by=...)`), and
            `fit` must be given such batches. `None`: all rows, always.
        partial: Boolean. `True` says that the run at hand is the first part of a
            longer one, so that growths beyond its last epoch are no mistake.

    Raises:
        ValueError: If `depths` is empty, an epoch or a depth is no integer, the
            depths do not grow with the epochs, or the data shares are none.

    Example:

    ```python
    StackingSchedule({2: 8, 5: 16})  # 8 blocks from epoch 2 on, 16 from epoch 5
    StackingSchedule({2: 8}, data_shares={0: 0.4, 2: 1.0})  # and more data with them
    StackingSchedule.shares([4, 8, 16], [1, 2, 4])  # whatever the epochs of the fit
    StackingSchedule.plateau(max_blocks=32)  # when the metric stops improving
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
        for epoch, number in dict(depths).items():
            check_integer("epoch", epoch, least=0)
            check_integer("num_blocks", number, least=1)
        self.depths = {int(epoch): int(n) for epoch, n in sorted(dict(depths).items())}
        self.data_shares = None if data_shares is None else _in_order(data_shares)
        self.partial = partial
        _check_table(self.depths)

    @classmethod
    def shares(
        cls,
        num_blocks: Sequence[int],
        shares: Sequence[float],
        data_shares: Sequence[float] | None = None,
    ) -> "StackingSchedule":
        """A schedule whose stages take shares of the epochs of the fit.

        Args:
            num_blocks: List of integers, the depth of each stage; the first is the
                depth that the model is built with.
            shares: List of positive numbers, the length of each stage relative to
                the others. The start of a stage is rounded up to a whole epoch, and
                no stage is shorter than one.
            data_shares: List of the share of the training rows that each stage
                sees, as in `StackingSchedule`; `None` for all rows.

        Returns:
            A `StackingSchedule`.

        Raises:
            ValueError: If the lists do not fit, or a share is not positive.
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
        """The depth autopilot: grow when the metric stops improving.

        It stops growing after a growth that brought less than `min_gain` (the best
        value after it, less the best before it), and does not stop the training:
        that is `EarlyStopping`'s.

        Args:
            monitor: String, a key of the logs. Higher is better, but for a loss.
            patience: Integer, epochs without improvement before a growth.
            min_gain: Float, in units of the metric.
            max_blocks: Integer, the depth that no growth goes beyond.
            restore_best: Boolean, whether the model ends with the weights, and
                the depth, of its best epoch.

        Returns:
            A schedule for `StackingCallback`.

        Raises:
            ValueError: If `patience` or `max_blocks` is no integer of at least 1,
                `min_gain` no number, or `restore_best` no boolean.
        """
        return Plateau(monitor, patience, min_gain, max_blocks, restore_best)

    def table(
        self,
        initial_blocks: int,
        epochs: int,
        step: int | None = None,
        num_blocks: int | None = None,
    ) -> dict[int, int]:
        """Returns the dict from epoch to depth for a fit of `epochs` epochs of a
        model built with `initial_blocks` blocks that has `num_blocks` now."""
        first = next(iter(self.depths.values()))
        if first < initial_blocks:
            raise ValueError(
                f"schedule goes to {first} blocks, but the model was built with "
                f"{initial_blocks} and a net only grows. Build it with at most "
                f"{first} blocks, or give deeper stages."
            )
        growths = [e for e, depth in self.depths.items() if depth > initial_blocks]
        if not growths or (not self.partial and growths[0] >= epochs):
            raise ValueError(
                f"schedule={self.depths} grows nothing: the model was built with "
                f"{initial_blocks} blocks, and the last epoch of this fit is "
                f"{epochs - 1} (epochs count from 0). Give more blocks at an earlier "
                "epoch, or StackingSchedule(..., partial=True) if this fit is the "
                "first part of a longer run."
            )
        return self.depths

    def data_share(self, epoch: int, epochs: int) -> float:
        """Returns the share of the training rows that is due at `epoch` in a fit of
        `epochs` epochs."""
        table = self._data_share_table(epochs)
        return [share for start, share in table.items() if start <= epoch][-1]

    def _data_share_table(self, epochs):
        return self.data_shares or {0: 1.0}

    def __repr__(self):
        shares = f", data_shares={self.data_shares}" if self.data_shares else ""
        return f"StackingSchedule({self.depths}{shares}, partial={self.partial})"


class ShareSchedule(StackingSchedule):
    """Stages whose lengths are shares of the epochs. See `StackingSchedule.shares`."""

    def __init__(self, num_blocks, shares, data_shares=None):
        if len(num_blocks) != len(shares) or len(shares) < 2:
            raise ValueError(
                "num_blocks and shares must have an entry for each of at least two "
                f"stages. Received: num_blocks={num_blocks}, shares={shares}"
            )
        if min(shares) <= 0:
            raise ValueError(f"shares must be positive. Received: shares={shares}")
        if data_shares is not None:
            if len(data_shares) != len(shares):
                raise ValueError(
                    f"data_shares must have an entry for each of the {len(shares)} "
                    f"stages. Received: data_shares={data_shares}"
                )
            data_shares = dict(enumerate(data_shares))
        self.num_blocks, self.stage_shares = list(num_blocks), list(shares)
        super().__init__(dict(enumerate(num_blocks)), data_shares)

    def table(self, initial_blocks, epochs, step=None, num_blocks=None):
        if self.num_blocks[0] not in (initial_blocks, num_blocks):
            raise ValueError(
                f"schedule starts with {self.num_blocks[0]} blocks, but the model was "
                f"built with {initial_blocks}. Let num_blocks start with that."
            )
        return stages(self.num_blocks, self.stage_shares, epochs)

    def _data_share_table(self, epochs):
        if not self.data_shares:
            return {0: 1.0}
        starts = [0, *stages(self.num_blocks, self.stage_shares, epochs)]
        return dict(zip(starts, self.data_shares.values()))

    def __repr__(self):
        shares = ""
        if self.data_shares:
            shares = f", data_shares={list(self.data_shares.values())}"
        return (
            f"StackingSchedule.shares({self.num_blocks}, {self.stage_shares}{shares})"
        )


class DoublingSchedule:
    """What `StackingCallback` does without a schedule: doubles the depth twice, in
    stages of length 1:2:4."""

    def __repr__(self):
        return "None"

    data_shares = None

    def table(self, initial_blocks, epochs, step=None, num_blocks=None):
        growths = [initial_blocks]
        for _ in range(2):
            growths.append(growths[-1] + (step or growths[-1]))
        return stages(growths, [1, 2, 4], epochs)


def stages(num_blocks, shares, epochs):
    """Returns the dict from first epoch to depth of each stage after the first."""
    if epochs < len(shares):
        raise ValueError(
            f"epochs={epochs} is too few for the {len(shares)} stages of the schedule "
            f"({' -> '.join(map(str, num_blocks))} blocks). Fit for at least "
            f"{len(shares)} epochs, or give fewer stages."
        )
    total, table, previous = sum(shares), {}, 0
    last = epochs - len(shares) + 1
    for i, (start, depth) in enumerate(zip(accumulate(shares), num_blocks[1:])):
        # -(-a // b) is a / b rounded up, exactly.
        epoch = min(max(int(-(-epochs * start // total)), previous + 1), last + i)
        table[epoch] = depth
        previous = epoch
    _check_table(table)
    return table


def _in_order(data_shares):
    for epoch in dict(data_shares):
        check_integer("epoch of data_shares", epoch, least=0)
    shares = {int(e): float(share) for e, share in sorted(dict(data_shares).items())}
    if next(iter(shares), None) != 0:
        raise ValueError(
            "data_shares must say which share epoch 0 begins with, such as {0: 0.4, 3: "
            f"1.0}}; None trains on all rows. Received: data_shares={data_shares}"
        )
    values = list(shares.values())
    if not 0 < values[0] or not values[-1] <= 1 or values != sorted(values):
        raise ValueError(
            "data_shares must lie above 0, be at most 1, and never shrink. Received: "
            f"data_shares={data_shares}"
        )
    return shares


def _check_table(depths):
    if not depths:
        raise ValueError(
            "schedule is empty. Give a dict from epoch to number of blocks, such as "
            "{2: 8, 5: 16}."
        )
    values = list(depths.values())
    if values != sorted(set(values)):
        raise ValueError(
            "schedule must name more blocks at each later epoch, as a net only grows. "
            f"Received: {depths}"
        )

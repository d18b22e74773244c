from collections.abc import Sequence
from itertools import accumulate

from stackrec_keras.arguments import check_integer, is_number
from stackrec_keras.errors import ArgumentError
from stackrec_keras.stacking.schedules.stacking_schedule import StackingSchedule
from stackrec_keras.stacking.schedules.table import check_grows


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
                f"starts with {self.num_blocks[0]} blocks, but the model was built "
                f"with {initial_blocks}",
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


def stages(
    num_blocks: Sequence[int], shares: Sequence[float], epochs: int
) -> dict[int, int]:
    """Returns the epochs at which the stages of a fit start.

    Args:
        num_blocks: List of integers, the depth of each stage.
        shares: List of positive numbers, the length of each stage relative to the
            others.
        epochs: Integer, the number of epochs of the fit.

    Returns:
        A dict from first epoch to depth of each stage after the first one. No stage is
        shorter than an epoch.
    """
    if epochs < len(shares):
        raise ArgumentError(
            "epochs",
            f"is too few for the {len(shares)} stages of the schedule "
            f"({' -> '.join(map(str, num_blocks))} blocks)",
            f"Fit for at least {len(shares)} epochs, or give fewer stages.",
            epochs,
        )
    total, table, previous = sum(shares), {}, 0
    last = epochs - len(shares) + 1
    for i, (start, depth) in enumerate(zip(accumulate(shares), num_blocks[1:])):
        # -(-a // b) is a / b rounded up, exactly.
        epoch = min(max(int(-(-epochs * start // total)), previous + 1), last + i)
        table[epoch] = depth
        previous = epoch
    return table

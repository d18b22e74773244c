from stackrec_keras.stacking.schedules.stages import stages
from stackrec_keras.stacking.schedules.table import TableSchedule


class DoublingSchedule(TableSchedule):
    """The default schedule of `StackingCallback`: doubles the depth twice, with stages
    of lengths 1:2:4."""

    def table(
        self,
        initial_blocks: int,
        epochs: int,
        step: int | None = None,
        num_blocks: int | None = None,
    ) -> dict[int, int]:
        depths = [initial_blocks]
        for _ in range(2):
            depths.append(depths[-1] + (step or depths[-1]))
        return stages(depths, [1, 2, 4], epochs)

    def __repr__(self):
        return "None"

import keras

from stackrec_keras.stacking.growth_record import GrowthRecord
from stackrec_keras.stacking.model_stacks import depth


class Growable(keras.Model):
    """A model that `StackingCallback` can grow.

    Attributes:
        initial_blocks: Integer, the depth that the model was built with. Schedules
            start from this depth, even in a resumed fit.
        growth_record: `GrowthRecord` of the running schedule, or `None`. It is saved
            with the weights.
    """

    initial_blocks: int
    growth_record: GrowthRecord | None = None

    @property
    def num_blocks(self) -> int:
        """Integer, the depth that the model has now."""
        return depth(self)

from stackrec_keras.stacking.callback import StackingCallback
from stackrec_keras.stacking.growth import Growth, grow, set_depth
from stackrec_keras.stacking.insight import block_similarity, gates
from stackrec_keras.stacking.methods import StackingMethod, block_sources, methods
from stackrec_keras.stacking.schedule import StackingSchedule

__all__ = [
    "Growth",
    "StackingCallback",
    "StackingMethod",
    "StackingSchedule",
    "block_similarity",
    "block_sources",
    "gates",
    "grow",
    "methods",
    "set_depth",
]

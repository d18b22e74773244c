import importlib
from typing import TYPE_CHECKING

from stackrec_keras.stacking.methods import StackingMethod, block_sources, methods

if TYPE_CHECKING:
    from stackrec_keras.stacking.callback import StackingCallback
    from stackrec_keras.stacking.growth import Growth, grow, set_depth
    from stackrec_keras.stacking.insight import block_similarity, gates
    from stackrec_keras.stacking.perfect_growth import growth_bound
    from stackrec_keras.stacking.schedules import StackingSchedule

__all__ = [
    "Growth",
    "StackingCallback",
    "StackingMethod",
    "StackingSchedule",
    "block_similarity",
    "block_sources",
    "gates",
    "grow",
    "growth_bound",
    "methods",
    "set_depth",
]

# `methods` does not import Keras. The modules that do are imported on first use.
_MODULES = {
    "StackingCallback": "callback",
    "Growth": "growth",
    "grow": "growth",
    "set_depth": "growth",
    "growth_bound": "perfect_growth",
    "block_similarity": "insight",
    "gates": "insight",
    "StackingSchedule": "schedules",
}


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__():
    return __all__

"""Type hints for what Python has no type for."""

from typing import Any

Tensor = Any
"""A tensor of the backend at hand, or an array that it takes for one."""

Data = Any
"""What `keras.Model.fit` takes: arrays, a dict of them, batches of either."""

Time = Any
"""A time as a log has it, or as a split takes it: a number, a date or a string."""

Column = Any
"""Raw ids: a series, an array or a list of them."""

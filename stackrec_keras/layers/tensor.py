from typing import Any

Tensor = Any
"""A tensor of the backend at hand, or an array that it takes for one."""

"""Type aliases for annotations."""

from typing import Any

Tensor = Any
"""A tensor of the current backend, or an array that the backend converts."""

Context = dict[str, Tensor] | None
"""What blocks may read besides hidden states: see `BlockStack`."""

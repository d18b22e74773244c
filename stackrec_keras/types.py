"""Names for what annotations say."""

from typing import Any

Tensor = Any
"""A tensor of the current backend, or an array that the backend converts."""

Context = dict[str, Tensor] | None
"""What blocks may read beside hidden states: see `BlockStack`."""

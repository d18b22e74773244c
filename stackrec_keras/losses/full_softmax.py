"""Exact cross-entropy over the whole catalogue."""

from typing import Any

import keras

from stackrec_keras.arguments import is_integer
from stackrec_keras.losses.catalogue_loss import CatalogueLoss
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class FullSoftmax(CatalogueLoss):
    """Softmax cross-entropy over all items.

    With `chunk_size`, memory is bounded: the catalogue is scored that many
    items at a time, in the backward pass again, and never more than `positions *
    chunk_size` scores are held. Value and gradients are the same; the price is
    one more product of hidden states and table. With 46,000 items and 4,864
    positions, 1,024 at a time lower XLA's temporary memory from 1,708 to 46 MB
    (JAX, CPU).

    Args:
        chunk_size: How many items to score at a time, or `None` for all
            of them. About 1,000 suits catalogues of 20,000 items and more.
        include_padding: Whether class 0, the padding, is in the denominator,
            as in the StackRec release.

    Call arguments: see `CatalogueLoss`.

    Raises:
        ValueError: If `chunk_size` is neither `None` nor an integer of at
            least 1.

    Example:

    ```python
    model.compile(loss=sr.losses.FullSoftmax(chunk_size=4096))
    ```
    """

    def __init__(
        self, chunk_size: int | None = None, include_padding: bool = False
    ) -> None:
        super().__init__(include_padding=include_padding)
        self.chunk_size = _check_chunk_size(chunk_size)

    def training_losses(
        self,
        targets: Tensor,
        hidden: Tensor,
        table: Tensor,
        bias: Tensor,
        seed: keras.random.SeedGenerator | None,
    ) -> Tensor:
        return self.exact_losses(targets, hidden, table, bias)

    def exact_losses(  # type: ignore[override]
        self, targets: Tensor, hidden: Tensor, table: Tensor, bias: Tensor
    ) -> Tensor:
        return super().exact_losses(
            targets, hidden, table, bias, chunk_size=self.chunk_size
        )

    def get_config(self) -> dict[str, Any]:
        return {"chunk_size": self.chunk_size, **super().get_config()}


def _check_chunk_size(chunk_size):
    if chunk_size is None:
        return None
    if is_integer(chunk_size) and chunk_size >= 1:
        return int(chunk_size)
    raise ValueError(
        "`chunk_size` must be None or an integer of at least 1, the number of "
        f"items to score at a time. Received: chunk_size={chunk_size!r}"
    )

"""Exact cross-entropy over the whole catalogue."""

from typing import Any

import keras
from keras import ops

from stackrec_keras.arguments import check_integer
from stackrec_keras.losses.catalogue_loss import CatalogueLoss
from stackrec_keras.losses.one_pass import pays_in_one_pass, weighted_cross_entropy
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class FullSoftmax(CatalogueLoss):
    """Softmax cross-entropy over all items.

    On a CPU, a training step goes over the positions once, 256 at a time, and computes
    their losses and gradients together. At most `256 * (num_items + 1)` scores are held
    at once, and positions without a target cost nothing.

    With `chunk_size`, the loss scores that many items at a time, so at most
    `positions * chunk_size` scores are held at once. The value and the gradients are
    the same as without it. The price is that the backward pass computes all scores a
    second time. Use `chunk_size` to bound memory on a GPU and in validation.

    Args:
        chunk_size: Integer, how many items to score at a time. About 1,000 suits
            catalogues of 20,000 items and more on a GPU. Defaults to `None`, all at
            once.
        include_padding: Boolean, whether class 0, the padding, is in the denominator,
            as in StackRec's reference implementation. Defaults to `False`.

    Call arguments: see `CatalogueLoss`.

    Raises:
        ArgumentError: If an argument is out of range.

    Example:

    ```python
    model.compile(loss=sr.losses.FullSoftmax(chunk_size=1024))
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """

    def __init__(
        self, chunk_size: int | None = None, include_padding: bool = False
    ) -> None:
        super().__init__(include_padding=include_padding)
        if chunk_size is not None:
            check_integer("chunk_size", chunk_size, least=1, why=" or None")
            chunk_size = int(chunk_size)
        self.chunk_size = chunk_size

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

    def _training_sum(self, targets, hidden, table, bias, weights, seed):
        states = ops.reshape(hidden, (-1, hidden.shape[-1]))
        if self._is_changed() or self.chunk_size or not pays_in_one_pass(states):
            return super()._training_sum(targets, hidden, table, bias, weights, seed)
        return weighted_cross_entropy(
            ops.reshape(targets, (-1,)),
            states,
            table,
            bias,
            ops.reshape(weights, (-1,)),
            include_padding=self.include_padding,
        )

    def _is_changed(self):
        """Returns whether a subclass computes the losses in its own way."""
        own = type(self).training_losses, type(self).exact_losses
        return own != (FullSoftmax.training_losses, FullSoftmax.exact_losses)

    def get_config(self) -> dict[str, Any]:
        return {"chunk_size": self.chunk_size, **super().get_config()}

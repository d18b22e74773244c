"""Binary cross-entropy against a few random negatives."""

from typing import Any

import keras
from keras import ops

from stackrec_keras.losses.cross_entropy import target_logits
from stackrec_keras.losses.sampled_loss import SampledLoss
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class BinaryCrossEntropy(SampledLoss):
    """Binary cross-entropy of the target and of a few random negatives, summed.

    What StackRec's release fine-tunes with on a second catalogue. Negatives are
    uniform, drawn anew for each position and step, with replacement, and never the
    position's own target. Outside training the loss is the full softmax.

    Args:
        num_negatives: How many to draw for each position: an integer is a count, a
            float a share of the classes, `int(share * (num_items + 1))`.
        include_padding: Whether class 0, the padding, may be drawn.

    Call arguments: see `CatalogueLoss`. `seed` is required in training.

    Raises:
        ValueError: If an argument is out of range, and, when called, if there is
            but one item.

    Example:

    ```python
    transfer.compile(loss=sr.losses.BinaryCrossEntropy(num_negatives=1))
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """

    def __init__(
        self, num_negatives: int | float = 1, include_padding: bool = False
    ) -> None:
        super().__init__(num_negatives, include_padding)

    def sampled_losses(
        self, targets: Tensor, hidden: Tensor, table: Tensor, bias: Tensor, drawn: Any
    ) -> Tensor:
        bias = ops.cast(bias, "float32")
        positive = target_logits(targets, hidden, table, bias)
        negative = target_logits(drawn, ops.expand_dims(hidden, axis=2), table, bias)
        return ops.softplus(-positive) + ops.sum(ops.softplus(negative), axis=-1)

    def draw(
        self, num_classes: int, y_true: Tensor, seed: keras.random.SeedGenerator | None
    ) -> Tensor:
        """Draw the negatives of a step, `(batch, time, num_negatives)` ids."""
        first = self.first_class
        if num_classes - first < 2:
            raise ValueError(
                f"BinaryCrossEntropy needs an item beside the target to draw; the "
                f"catalogue has {num_classes - 1}. Give more items, or FullSoftmax()."
            )
        shape = (*ops.shape(y_true), self.count(num_classes))
        others = keras.random.randint(shape, first, num_classes - 1, seed=seed)
        # One step over the target leaves the other classes equally likely.
        return ops.where(others >= ops.expand_dims(y_true, -1), others + 1, others)

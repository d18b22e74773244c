"""Binary cross-entropy against a few random negatives."""

from typing import Any

import keras
from keras import ops

from stackrec_keras.arguments import check_choice
from stackrec_keras.errors import ArgumentError
from stackrec_keras.layers.random_numbers import random_integers
from stackrec_keras.losses.cross_entropy import target_logits
from stackrec_keras.losses.negatives import (
    NEGATIVES_PER,
    by_position,
    negative_logits,
)
from stackrec_keras.losses.sampled_loss import SampledLoss
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class BinaryCrossEntropy(SampledLoss):
    """Binary cross-entropy of the target and a few random negatives.

    The loss of a position is
    `-log(sigmoid(s_target)) - sum_j log(1 - sigmoid(s_j))`, where `s` are the scores
    and `j` runs over the position's negatives. StackRec's reference implementation
    fine-tunes with this loss on a second catalogue. Negatives are drawn at each step,
    uniformly and with replacement. By default, each position has its own, which are
    never its target. If positions share negatives (`negatives_per`), each position
    leaves out its own target. Outside training the loss is `FullSoftmax`.

    Args:
        num_negatives: How many negatives to draw for each position, row or batch (see
            `negatives_per`). An integer is a count, and a float is a fraction of the
            classes: `int(fraction * (num_items + 1))`. Defaults to `1`.
        include_padding: Boolean, whether class 0, the padding, may be drawn. Defaults
            to `False`.
        negatives_per: String, which positions share their negatives: all of a
            `"batch"`, all of a `"row"`, or none (`"position"`). Defaults to
            `"position"`.

    Call arguments: see `CatalogueLoss`. Training requires `seed`.

    Raises:
        ArgumentError: If an argument is out of range, or if the loss is called for a
            catalogue of only one item.

    Example:

    ```python
    transfer.compile(loss=sr.losses.BinaryCrossEntropy(num_negatives=1))
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """

    def __init__(
        self,
        num_negatives: int | float = 1,
        include_padding: bool = False,
        negatives_per: str = "position",
    ) -> None:
        check_choice("negatives_per", negatives_per, NEGATIVES_PER)
        super().__init__(num_negatives, include_padding, negatives_per)

    def sampled_losses(
        self, targets: Tensor, hidden: Tensor, table: Tensor, bias: Tensor, drawn: Any
    ) -> Tensor:
        bias = ops.cast(bias, "float32")
        positive = target_logits(targets, hidden, table, bias)
        offsets = ops.take(bias, drawn, axis=0)
        # softplus(-s) is -log(sigmoid(s)), and softplus(s) is -log(1 - sigmoid(s)).
        negative = ops.softplus(negative_logits(hidden, table, offsets, drawn))
        if len(drawn.shape) < 3:
            hits = ops.expand_dims(targets, axis=-1) == by_position(drawn)
            negative = ops.where(hits, 0.0, negative)
        return ops.softplus(-positive) + ops.sum(negative, axis=-1)

    def draw(
        self, num_classes: int, y_true: Tensor, seed: keras.random.SeedGenerator | None
    ) -> Tensor:
        """Draws a step's negatives: ids, with the shape from `sample_shape`."""
        first = self.first_class
        if num_classes - first < 2:
            raise ArgumentError(
                "num_items",
                "is too few for BinaryCrossEntropy, which draws items other "
                "than the target",
                "Use FullSoftmax().",
                num_classes - 1,
            )
        shape = self.sample_shape(num_classes, y_true)
        if self.negatives_per != "position":
            return random_integers(shape, first, num_classes, seed)
        others = random_integers(shape, first, num_classes - 1, seed)
        # Stepping over the target leaves all other classes equally likely.
        return ops.where(others >= ops.expand_dims(y_true, -1), others + 1, others)

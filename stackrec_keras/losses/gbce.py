"""Generalised binary cross-entropy, gSASRec's loss."""

from typing import Any

import keras
from keras import ops

from stackrec_keras.arguments import check_bools, check_choice, is_number
from stackrec_keras.errors import ArgumentError
from stackrec_keras.layers.random_numbers import random_integers
from stackrec_keras.losses.cross_entropy import target_logits
from stackrec_keras.losses.negatives import (
    NEGATIVES_PER,
    by_position,
    negative_logits,
)
from stackrec_keras.losses.sampled_loss import SampledLoss
from stackrec_keras.losses.sampled_one_pass import Sample
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class GBCE(SampledLoss):
    """Generalised binary cross-entropy against sampled negatives.

    Binary cross-entropy with few negatives makes a model overconfident. In training,
    the target is one of a few items; in use, it is one of all items.
    gBCE raises the probability of the target to the power `beta`. The loss of a
    position is

    `-(log(sigmoid(s_target) ** beta) + sum_j log(1 - sigmoid(s_j))) / (n + 1)`

    over its `n` negatives `j`, with scores `s` and

    `beta = alpha * (t * (1 - 1 / alpha) + 1 / alpha)`

    where `alpha = num_negatives / (num_items - 1)`, at most 1, is the sampling rate.
    `t=0` is plain binary cross-entropy, and `t=1` gives calibrated probabilities.

    Negatives are drawn uniformly. By default, all positions of a row share their
    negatives. In the paper, each position has its own (`negatives_per="position"`); the
    expected loss is the same, but far more vectors are read. Outside training the loss
    is `FullSoftmax`.

    Args:
        num_negatives: How many negatives to draw for each batch, row or position (see
            `negatives_per`). An integer is a count, and a float is a fraction of the
            classes: `int(fraction * (num_items + 1))`.
            Defaults to `256`.
        t: Float from 0 to 1, the calibration. Defaults to `0.75`.
        include_padding: Boolean, whether class 0, the padding, may be drawn. Defaults
            to `False`.
        remove_accidental_hits: Boolean, whether each position leaves out negatives that
            equal its own target, as the paper does. The paper's published code keeps
            them (`False`). Defaults to `True`.
        negatives_per: String, which positions share their negatives: all of a
            `"batch"`, all of a `"row"`, or none (`"position"`). Defaults to `"row"`.

    Call arguments: see `CatalogueLoss`. Training requires `seed`.

    Raises:
        ArgumentError: If an argument is out of range.

    Example:

    ```python
    model.compile(loss=sr.losses.GBCE(num_negatives=256, t=0.75))
    ```

    Reference:
        [gSASRec, RecSys 2023](https://arxiv.org/abs/2308.07192)
    """

    def __init__(
        self,
        num_negatives: int | float = 256,
        t: float = 0.75,
        include_padding: bool = False,
        remove_accidental_hits: bool = True,
        negatives_per: str = "row",
    ) -> None:
        check_choice("negatives_per", negatives_per, NEGATIVES_PER)
        super().__init__(num_negatives, include_padding, negatives_per)
        if not is_number(t) or not 0 <= t <= 1:
            raise ArgumentError("t", "must be a number from 0 to 1", received=t)
        check_bools(remove_accidental_hits=remove_accidental_hits)
        self.t = float(t)
        self.remove_accidental_hits = bool(remove_accidental_hits)

    def sampled_losses(
        self, targets: Tensor, hidden: Tensor, table: Tensor, bias: Tensor, drawn: Any
    ) -> Tensor:
        bias = ops.cast(bias, "float32")
        positive = target_logits(targets, hidden, table, bias)
        # softplus(-s) is -log(sigmoid(s)), and softplus(s) is -log(1 - sigmoid(s)).
        offsets = ops.take(bias, drawn, axis=0)
        negative = ops.softplus(negative_logits(hidden, table, offsets, drawn))
        if self.remove_accidental_hits:
            hits = ops.expand_dims(targets, -1) == by_position(drawn)
            negative = ops.where(hits, 0.0, negative)
        beta = self.beta(table.shape[0])
        total = beta * ops.softplus(-positive) + ops.sum(negative, axis=-1)
        return total / (drawn.shape[-1] + 1)

    def _sample(self, drawn, num_classes):
        if type(self).sampled_losses is not GBCE.sampled_losses:
            return None
        ids, beta = ops.cast(drawn, "int32"), self.beta(num_classes)
        share = 1 / (ids.shape[-1] + 1)

        def compare(logits, counts, scores):
            losses = beta * ops.softplus(-scores)
            losses = losses + ops.sum(counts * ops.softplus(logits), axis=-1)
            slopes, scale = counts * ops.sigmoid(logits), ops.full_like(scores, share)
            return losses * share, slopes, scale, -beta * share * ops.sigmoid(-scores)

        return Sample(ids, self.remove_accidental_hits, compare)

    def draw(
        self, num_classes: int, y_true: Tensor, seed: keras.random.SeedGenerator | None
    ) -> Tensor:
        """Draws a step's negatives: ids, with the shape from `sample_shape`."""
        shape = self.sample_shape(num_classes, y_true)
        return random_integers(shape, self.first_class, num_classes, seed)

    def beta(self, num_classes: int) -> float:
        """Returns the power to which the target's probability is raised."""
        candidates = num_classes - self.first_class - 1
        alpha = min(1.0, self.count(num_classes) / max(1, candidates))
        return alpha * (self.t * (1 - 1 / alpha) + 1 / alpha)

    def get_config(self) -> dict[str, Any]:
        return {
            "t": self.t,
            "remove_accidental_hits": self.remove_accidental_hits,
            **super().get_config(),
        }

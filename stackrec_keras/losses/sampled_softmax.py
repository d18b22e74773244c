"""Cross-entropy over each position's target and a sample of items."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from stackrec_keras.arguments import check_bools, check_choice
from stackrec_keras.errors import ArgumentError
from stackrec_keras.layers.random_numbers import random_integers
from stackrec_keras.losses.class_shares import (
    class_shares,
    draw_classes,
    log_expected_counts,
)
from stackrec_keras.losses.cross_entropy import MASKED, target_logits
from stackrec_keras.losses.negatives import (
    NEGATIVES_PER,
    by_position,
    negative_logits,
)
from stackrec_keras.losses.sampled_loss import SampledLoss
from stackrec_keras.losses.sampled_one_pass import Sample
from stackrec_keras.types import Tensor
from stackrec_keras.wording import counted

DISTRIBUTIONS = ("uniform", "log_uniform", "popularity")


@keras.saving.register_keras_serializable(package="stackrec_keras")
class SampledSoftmax(SampledLoss):
    """Softmax cross-entropy over the target and a sample of negatives.

    At each step a sample is drawn with replacement. By default, all positions of the
    batch share it (see `negatives_per`). The loss of a position is

    `log(exp(z_target) + sum_j exp(z_j)) - z_target` with `z = s - log(expected count)`

    over the drawn items `j`, where `s` are the scores. The expected count is an item's
    mean number of occurrences in a sample. Subtracting its log moves the minimum
    towards the minimum of `FullSoftmax` as the sample grows. Outside training the loss
    is `FullSoftmax`. Accidental hits are treated as in `tf.nn.sampled_softmax_loss`,
    except that all copies of a repeated negative are left out.

    Args:
        num_negatives: How many negatives to draw. An integer is a count, and a float is
            a fraction of the classes: `int(fraction * (num_items + 1))`. Defaults to
            `0.2`.
        distribution: String, how likely each item is to be drawn. `"uniform"`: all
            items alike. `"popularity"`: in proportion to its count, or to 1 if its
            count is 0. `"log_uniform"`: in proportion to `log((r + 2) / (r + 1))`,
            where `r` is its popularity rank from 0. Defaults to `"uniform"`.
        item_counts: Array of shape `(num_items,)`, how often items 1..num_items occur
            in the training data. `"popularity"` and `"log_uniform"` need it. Items
            with the same count are ranked by id. Defaults to `None`.
        include_padding: Boolean, whether class 0, the padding, is one of the classes,
            as in StackRec's reference implementation. It then counts as the most
            popular class. `item_counts=range(num_items, 0, -1)` and
            `distribution="log_uniform"` give the distribution of the reference
            implementation, which ranks items by id. Defaults to `False`.
        remove_accidental_hits: Boolean, whether each position leaves out negatives that
            equal its own target. Defaults to `True`.
        negatives_per: String, which positions share their negatives: all of a
            `"batch"`, all of a `"row"`, or none (`"position"`). Defaults to `"batch"`.

    Call arguments: see `CatalogueLoss`. Training requires `seed`.

    Raises:
        ArgumentError: If an argument is out of range, or if `item_counts` is missing or
            has the wrong shape. Calling the loss also raises it if the model has a
            different number of items than `item_counts`.

    Example:

    ```python
    counts = np.bincount(items.ravel(), minlength=num_items + 1)[1:]
    loss = sr.losses.SampledSoftmax(
        0.1, distribution="popularity", item_counts=counts
    )
    model.compile(loss=loss)
    ```

    Reference:
        [Jean et al., ACL 2015](https://arxiv.org/abs/1412.2007)
    """

    def __init__(
        self,
        num_negatives: int | float = 0.2,
        distribution: str = "uniform",
        item_counts: Sequence[int] | np.ndarray | None = None,
        include_padding: bool = False,
        remove_accidental_hits: bool = True,
        negatives_per: str = "batch",
    ) -> None:
        check_choice("negatives_per", negatives_per, NEGATIVES_PER)
        super().__init__(num_negatives, include_padding, negatives_per)
        check_choice("distribution", distribution, DISTRIBUTIONS)
        check_bools(remove_accidental_hits=remove_accidental_hits)
        self.distribution = distribution
        self.item_counts = _check_item_counts(item_counts, distribution)
        self.remove_accidental_hits = bool(remove_accidental_hits)
        self._shares = None
        if distribution != "uniform":
            self._shares = class_shares(distribution, self.item_counts, include_padding)

    def sampled_losses(
        self, targets: Tensor, hidden: Tensor, table: Tensor, bias: Tensor, drawn: Any
    ) -> Tensor:
        negatives, log_negatives, log_targets = drawn
        bias = ops.cast(bias, "float32")
        score = target_logits(targets, hidden, table, bias)
        score = score - ops.reshape(log_targets, ops.shape(targets))
        offsets = ops.take(bias, negatives, axis=0) - log_negatives
        logits = negative_logits(hidden, table, offsets, negatives)
        if self.remove_accidental_hits:
            hits = ops.expand_dims(targets, axis=-1) == by_position(negatives)
            logits = ops.where(hits, MASKED, logits)
        # softplus(a - b) is log(exp(a) + exp(b)) - b.
        return ops.softplus(ops.logsumexp(logits, axis=-1) - score)

    def _sample(self, drawn, num_classes):
        if type(self).sampled_losses is not SampledSoftmax.sampled_losses:
            return None
        ids = ops.cast(drawn[0], "int32")
        logs = [ops.cast(log, "float32") for log in drawn[1:]]
        return Sample(ids, self.remove_accidental_hits, _compare, *logs)

    def draw(
        self, num_classes: int, y_true: Tensor, seed: keras.random.SeedGenerator | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Draws the negatives of a step. Override it for another sampler.

        Args:
            num_classes: Integer, `num_items + 1`.
            y_true: int32 tensor of targets, `(batch, time)`.
            seed: A `keras.random.SeedGenerator`.

        Returns:
            Three tensors. The drawn ids, with the shape from `sample_shape`. The log of
            each id's expected count, in that shape or `(count,)`. The log of each
            target's expected count, in the shape of `y_true`.
        """
        count = self.count(num_classes)
        shape = self.sample_shape(num_classes, y_true)
        if self._shares is None:
            return self._draw_uniform(shape, num_classes, y_true, seed)
        self._check_catalogue(num_classes)
        negatives = draw_classes(self._shares, shape, seed)
        log_expected = log_expected_counts(self._shares, count)
        return (
            negatives,
            ops.take(log_expected, negatives, axis=0),
            ops.take(log_expected, y_true, axis=0),
        )

    def get_config(self) -> dict[str, Any]:
        counts = self.item_counts
        return {
            "distribution": self.distribution,
            "item_counts": None if counts is None else counts.tolist(),
            "remove_accidental_hits": self.remove_accidental_hits,
            **super().get_config(),
        }

    def _draw_uniform(self, shape, num_classes, y_true, seed):
        first = self.first_class
        negatives = random_integers(shape, first, num_classes, seed)
        log_expected = float(np.log(shape[-1] / (num_classes - first)))
        return (
            negatives,
            ops.full(shape[-1:], log_expected, dtype="float32"),
            ops.full(ops.shape(y_true), log_expected, dtype="float32"),
        )

    def _check_catalogue(self, num_classes):
        if len(self._shares) != num_classes:
            raise ArgumentError(
                "item_counts",
                f"has counts of {counted(len(self._shares) - 1, 'item')}, but the "
                f"model has {num_classes - 1:,}",
                "Compile the model with a SampledSoftmax that has a count for each "
                "item.",
            )


def _compare(logits, counts, scores):
    """Returns losses and slopes, as `Sample.compare` says."""
    logits = ops.where(counts > 0, logits, MASKED)
    top = ops.max(logits, axis=-1, keepdims=True)
    powers = counts * ops.exp(logits - top)
    totals = ops.sum(powers, axis=-1)
    # Nothing counts if all negatives are the target.
    totals = ops.where(totals == 0, 1.0, totals)
    above = ops.squeeze(top, -1) + ops.log(totals) - scores
    chances = ops.sigmoid(above)
    # A total may be so small that half precision cannot hold its inverse.
    slopes = powers / ops.expand_dims(totals, -1)
    return ops.softplus(above), slopes, chances, -chances


def _check_item_counts(item_counts, distribution):
    if item_counts is None:
        if distribution == "uniform":
            return None
        raise ArgumentError(
            "item_counts",
            f"is missing, but distribution={distribution!r} needs it",
            "Give how often each of the items 1..num_items occurs in the training "
            "data, or use distribution='uniform'.",
            item_counts,
        )
    counts = np.asarray(item_counts)
    if counts.ndim != 1 or counts.size == 0:
        raise ArgumentError(
            "item_counts",
            "must have shape (num_items,), one count for each of the items "
            "1..num_items",
            received=counts,
        )
    is_numeric = counts.dtype.kind in "iuf"
    if not is_numeric or not np.all(np.isfinite(counts) & (counts >= 0)):
        raise ArgumentError(
            "item_counts", "must be finite and not negative", received=item_counts
        )
    return counts

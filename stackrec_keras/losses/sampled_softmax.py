"""Cross-entropy over each position's target and a shared sample of items."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from stackrec_keras.losses.cross_entropy import MASKED, target_logits
from stackrec_keras.losses.sampled_loss import SampledLoss
from stackrec_keras.types import Tensor

DISTRIBUTIONS = ("uniform", "log_uniform", "popularity")

# Class probabilities are held as whole shares of about this many, so that what
# is drawn has exactly the probability that the correction assumes.
RESOLUTION = 2**30


@keras.saving.register_keras_serializable(package="stackrec_keras")
class SampledSoftmax(SampledLoss):
    """Softmax cross-entropy over the target and a sample of negatives.

    A fresh sample is drawn with replacement at each step and shared by all
    positions of the batch. The log of how often an item is expected in the
    sample is taken from its logit, for negatives and target alike, so that
    with more negatives the loss comes to rest where the full softmax does.
    Outside training the loss is the full softmax.

    Args:
        num_negatives: How many to draw: a float is a share of the classes,
            padding counted, `int(share * (num_items + 1))`; an integer is a
            count.
        distribution: `"uniform"`; `"log_uniform"`, by popularity rank (the
            item of rank r, from 0, with a probability proportional to
            `log((r + 2) / (r + 1))`); or `"popularity"`, proportional to the
            counts (an item never counted is drawn as if counted once).
        item_counts: For the last two, `(num_items,)` counts of items
            1..num_items in the training data. Items of one count are ranked by
            id.
        include_padding: Whether class 0, the padding, is among the classes, as
            in the StackRec release. It then counts as the most popular class.
            With `item_counts=range(num_items, 0, -1)` and
            `distribution="log_uniform"` that is the release's distribution, by
            id.
        remove_accidental_hits: Whether a negative that is a position's own
            target is left out there.

    Call arguments: see `CatalogueLoss`. `seed` is required in training.

    Raises:
        ValueError: If an argument is out of range, if `item_counts` is missing
            or misshapen, and, when called, if it does not fit the table.

    Example:

    ```python
    counts = np.bincount(items.ravel(), minlength=num_items + 1)[1:]
    loss = sr.losses.SampledSoftmax(
        0.1, distribution="popularity", item_counts=counts
    )
    model.compile(loss=loss)
    ```

    Reference:
        - [Jean et al., 2015](https://arxiv.org/abs/1412.2007)
    """

    def __init__(
        self,
        num_negatives: int | float = 0.2,
        distribution: str = "uniform",
        item_counts: Sequence[int] | np.ndarray | None = None,
        include_padding: bool = False,
        remove_accidental_hits: bool = True,
    ) -> None:
        super().__init__(num_negatives, include_padding)
        self.distribution = _check_distribution(distribution)
        self.item_counts = _check_item_counts(item_counts, distribution)
        self.remove_accidental_hits = bool(remove_accidental_hits)
        self._shares = None
        if distribution != "uniform":
            self._shares = class_shares(distribution, self.item_counts, include_padding)

    def sampled_losses(
        self, targets: Tensor, hidden: Tensor, table: Tensor, bias: Tensor, drawn: Any
    ) -> Tensor:
        negatives, log_negatives, log_targets = drawn
        losses = sampled_cross_entropy(
            ops.reshape(targets, (-1,)),
            ops.reshape(hidden, (-1, hidden.shape[-1])),
            table,
            bias,
            negatives,
            log_negatives,
            ops.reshape(log_targets, (-1,)),
            remove_accidental_hits=self.remove_accidental_hits,
        )
        return ops.reshape(losses, ops.shape(targets))

    def draw(
        self, num_classes: int, y_true: Tensor, seed: keras.random.SeedGenerator | None
    ) -> Tensor:
        """Draw the negatives of a step. Override it for another sampler.

        Args:
            num_classes: `num_items + 1`.
            y_true: int32 tensor of targets, of any shape.
            seed: A `keras.random.SeedGenerator`.

        Returns:
            The drawn ids `(num_negatives,)`, the log of the expected count of
            each, and the log of the expected count of each target, shaped as
            `y_true`.
        """
        count = self.count(num_classes)
        if self._shares is None:
            return self._draw_uniform(count, num_classes, y_true, seed)
        self._check_catalogue(num_classes)
        ends = np.cumsum(self._shares)
        points = keras.random.randint((count,), 0, int(ends[-1]), seed=seed)
        negatives = find_classes(ends.astype("int32"), points)
        log_expected = _log_expected_counts(self._shares, count)
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

    def _draw_uniform(self, count, num_classes, y_true, seed):
        first = self.first_class
        negatives = keras.random.randint((count,), first, num_classes, seed=seed)
        log_expected = float(np.log(count / (num_classes - first)))
        return (
            negatives,
            ops.full((count,), log_expected, dtype="float32"),
            ops.full(ops.shape(y_true), log_expected, dtype="float32"),
        )

    def _check_catalogue(self, num_classes):
        if len(self._shares) != num_classes:
            raise ValueError(
                f"`item_counts` has counts of {len(self._shares) - 1} items, but "
                f"the model has {num_classes - 1}. Make a SampledSoftmax with one "
                "count for each item and compile the model with it."
            )


def sampled_cross_entropy(
    targets,
    hidden,
    table,
    bias,
    negatives,
    log_expected_negatives,
    log_expected_targets,
    remove_accidental_hits=True,
):
    """Cross-entropy of each position over its target and given negatives.

    The semantics are those of `tf.nn.sampled_softmax_loss`, but that all copies
    of a repeated negative are removed where they are the target.

    Args:
        targets: Integer tensor of shape `(positions,)`.
        hidden: Tensor of shape `(positions, dim)`.
        table: Tensor of shape `(num_items + 1, dim)`.
        bias: Tensor of shape `(num_items + 1,)`.
        negatives: Integer tensor of shape `(num_negatives,)`.
        log_expected_negatives: Tensor of shape `(num_negatives,)`, the log of
            each negative's expected count in the sample.
        log_expected_targets: Tensor of shape `(positions,)`, the same for the
            targets.
        remove_accidental_hits: Whether a negative that is a position's own
            target is left out there.

    Returns:
        A float32 tensor of shape `(positions,)`.
    """
    bias = ops.cast(bias, "float32")
    scores = target_logits(targets, hidden, table, bias) - log_expected_targets
    rows = ops.cast(ops.take(table, negatives, axis=0), hidden.dtype)
    offsets = ops.take(bias, negatives, axis=0) - log_expected_negatives
    logits = ops.cast(ops.matmul(hidden, ops.transpose(rows)), "float32") + offsets
    if remove_accidental_hits:
        hits = ops.expand_dims(targets, axis=-1) == negatives
        logits = ops.where(hits, MASKED, logits)
    return ops.softplus(ops.logsumexp(logits, axis=-1) - scores)


def class_shares(distribution, item_counts, include_padding):
    """Each class's probability as a whole number of shares.

    Returns:
        An int64 array of shape `(num_items + 1,)`, at least 1 for each class,
        but 0 for the padding if it is not one of them. The sum fits an int32.
    """
    counts = np.maximum(item_counts, 1).astype("float64")
    if include_padding:
        counts = np.concatenate([[counts.max()], counts])
    weights = counts
    if distribution == "log_uniform":
        ranks = np.empty(len(counts))
        ranks[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
        weights = np.log((ranks + 2) / (ranks + 1))
    shares = np.floor(weights / weights.sum() * RESOLUTION).astype("int64")
    shares = np.maximum(shares, 1)
    return shares if include_padding else np.concatenate([[0], shares])


def find_classes(ends, points):
    """The class that each point falls in, by bisection.

    (`ops.searchsorted`, compiled by TensorFlow, compares every point with every
    class: 0.3 s for 9,200 points and 46,000 classes.)

    Args:
        ends: int32 array, where the shares of each class end; ascending.
        points: int32 tensor, at least 0 and below the last end.

    Returns:
        An int32 tensor, how many ends are no greater than each point.
    """
    num_classes = len(ends)
    ends = ops.convert_to_tensor(ends)
    passed = ops.zeros_like(points)
    for power in reversed(range(num_classes.bit_length())):
        further = passed + 2**power
        last = ops.take(ends, ops.minimum(further, num_classes) - 1, axis=0)
        passed = ops.where(last <= points, further, passed)
    return passed


def _log_expected_counts(shares, count):
    # The padding's own entry is not used where it has no share; 1 keeps it
    # finite.
    expected = np.maximum(shares, 1) / shares.sum() * count
    return ops.convert_to_tensor(np.log(expected).astype("float32"))


def _check_distribution(distribution):
    if distribution not in DISTRIBUTIONS:
        raise ValueError(
            f"`distribution` must be one of {DISTRIBUTIONS}. "
            f"Received: distribution={distribution!r}"
        )
    return distribution


def _check_item_counts(item_counts, distribution):
    if item_counts is None:
        if distribution == "uniform":
            return None
        raise ValueError(
            f"distribution={distribution!r} needs `item_counts`, how often each of "
            "the items 1..num_items occurs in the training data. Received: "
            "item_counts=None. Pass counts, or use distribution='uniform'."
        )
    counts = np.asarray(item_counts)
    if counts.ndim != 1 or counts.size == 0:
        raise ValueError(
            "`item_counts` must have shape (num_items,), one count for each of "
            f"the items 1..num_items. Received: item_counts.shape={counts.shape}"
        )
    if counts.dtype.kind not in "iuf" or not np.all(
        np.isfinite(counts) & (counts >= 0)
    ):
        raise ValueError(
            "`item_counts` must be finite and not negative. "
            f"Received: item_counts={item_counts!r}"
        )
    return counts

"""Generalised binary cross-entropy (gSASRec)."""

import numbers
from typing import Any

import keras
from keras import ops

from stackrec_keras.losses.cross_entropy import target_logits
from stackrec_keras.losses.sampled_loss import SampledLoss
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class GBCE(SampledLoss):
    """Generalised binary cross-entropy against sampled negatives.

    Binary cross-entropy with few negatives makes a model overconfident: it
    sees a positive far more often than its share. gBCE raises the probability
    of the positive to the power `beta`, which is

    `beta = alpha * (t * (1 - 1 / alpha) + 1 / alpha)`

    with the sampling rate `alpha = num_negatives / (num_items - 1)`, at most
    1. `t=0` is plain binary cross-entropy, `t=1` gives calibrated
    probabilities.

    Negatives are uniform and drawn for each row of the batch, where the paper
    draws them for each position. The loss has the same expectation; for 256
    rows of 19 positions, width 64 and 256 negatives this gathers 17 MB of table
    rows instead of 319 MB. Outside training the loss is the full softmax.

    Args:
        num_negatives: How many to draw for each row: an integer is a count, a
            float a share of the classes, `int(share * (num_items + 1))`.
        t: Calibration, from 0 to 1.
        include_padding: Whether class 0, the padding, may be drawn.
        remove_accidental_hits: Whether a negative that is a position's own
            target is left out there. The paper's negatives are never the
            target; its published code does not check (`False`).

    Call arguments: see `CatalogueLoss`. `seed` is required in training.

    Raises:
        ValueError: If an argument is out of range.

    Example:

    ```python
    model.compile(loss=sr.losses.GBCE(num_negatives=256, t=0.75))
    ```

    Reference:
        - [Petrov and Macdonald, RecSys 2023](https://arxiv.org/abs/2308.07192)
    """

    def __init__(
        self,
        num_negatives: int | float = 256,
        t: float = 0.75,
        include_padding: bool = False,
        remove_accidental_hits: bool = True,
    ) -> None:
        super().__init__(num_negatives, include_padding)
        self.t = _check_t(t)
        self.remove_accidental_hits = bool(remove_accidental_hits)

    def sampled_losses(
        self, targets: Tensor, hidden: Tensor, table: Tensor, bias: Tensor, drawn: Any
    ) -> Tensor:
        return gbce_losses(
            targets,
            hidden,
            table,
            bias,
            drawn,
            beta=self.beta(table.shape[0]),
            remove_accidental_hits=self.remove_accidental_hits,
        )

    def draw(
        self, num_classes: int, y_true: Tensor, seed: keras.random.SeedGenerator | None
    ) -> Tensor:
        """Draw the negatives of a step, `(batch, num_negatives)` ids."""
        shape = (ops.shape(y_true)[0], self.count(num_classes))
        return keras.random.randint(shape, self.first_class, num_classes, seed=seed)

    def beta(self, num_classes: int) -> float:
        """The power of the positive's probability."""
        candidates = num_classes - self.first_class - 1
        alpha = min(1.0, self.count(num_classes) / max(1, candidates))
        return alpha * (self.t * (1 - 1 / alpha) + 1 / alpha)

    def get_config(self) -> dict[str, Any]:
        return {
            "t": self.t,
            "remove_accidental_hits": self.remove_accidental_hits,
            **super().get_config(),
        }


def gbce_losses(
    targets, hidden, table, bias, negatives, beta, remove_accidental_hits=True
):
    """The gBCE of each position against given negatives of its row.

    Args:
        targets: Integer tensor of shape `(batch, time)`.
        hidden: Tensor of shape `(batch, time, dim)`.
        table: Tensor of shape `(num_items + 1, dim)`.
        bias: Tensor of shape `(num_items + 1,)`.
        negatives: Integer tensor of shape `(batch, num_negatives)`.
        beta: The power of the positive's probability.
        remove_accidental_hits: Whether a negative that is a position's own
            target is left out there.

    Returns:
        A float32 tensor of shape `(batch, time)`: the mean over the positive
        and its negatives.
    """
    bias = ops.cast(bias, "float32")
    positive = target_logits(targets, hidden, table, bias)
    rows = ops.cast(ops.take(table, negatives, axis=0), hidden.dtype)
    products = ops.matmul(hidden, ops.transpose(rows, (0, 2, 1)))
    logits = ops.cast(products, "float32")
    logits = logits + ops.expand_dims(ops.take(bias, negatives, axis=0), axis=1)
    losses = ops.softplus(logits)
    if remove_accidental_hits:
        hits = ops.expand_dims(targets, -1) == ops.expand_dims(negatives, 1)
        losses = ops.where(hits, 0.0, losses)
    total = beta * ops.softplus(-positive) + ops.sum(losses, axis=-1)
    return total / (negatives.shape[1] + 1)


def _check_t(t):
    if isinstance(t, numbers.Real) and 0 <= t <= 1:
        return float(t)
    raise ValueError(
        "`t` must be a number from 0 (plain binary cross-entropy) to 1 "
        f"(calibrated). Received: t={t!r}"
    )

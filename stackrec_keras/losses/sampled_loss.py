"""The common part of losses that draw negatives."""

import numbers
from typing import Any

import keras

from stackrec_keras.arguments import is_integer
from stackrec_keras.losses.catalogue_loss import CatalogueLoss
from stackrec_keras.types import Tensor


class SampledLoss(CatalogueLoss):
    """Base class of losses that set each target against a few items drawn.

    A subclass implements `draw` and `sampled_losses`. Outside training the loss is
    the full softmax.

    Args:
        num_negatives: How many to draw: an integer is a count, a float a share of
            the classes, `int(share * (num_items + 1))`.
        include_padding: Whether class 0, the padding, may be drawn.

    Call arguments: see `CatalogueLoss`. `seed` is required in training.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self, num_negatives: int | float, include_padding: bool = False
    ) -> None:
        super().__init__(include_padding=include_padding)
        self.num_negatives = _check_num_negatives(num_negatives)

    @property
    def first_class(self) -> int:
        """The first class that may be drawn."""
        return 0 if self.include_padding else 1

    def count(self, num_classes: int) -> int:
        """How many negatives `num_negatives` stands for, at least 1."""
        if isinstance(self.num_negatives, float):
            return max(1, int(self.num_negatives * num_classes))
        return self.num_negatives

    def draw(
        self, num_classes: int, y_true: Tensor, seed: keras.random.SeedGenerator | None
    ) -> Tensor:
        """Draw the negatives of a step.

        Args:
            num_classes: `num_items + 1`.
            y_true: int32 tensor of targets, `(batch, time)`.
            seed: A `keras.random.SeedGenerator`.

        Returns:
            What `sampled_losses` takes as `drawn`.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `draw`.")

    def sampled_losses(
        self, targets: Tensor, hidden: Tensor, table: Tensor, bias: Tensor, drawn: Any
    ) -> Tensor:
        """The loss of each position against what was drawn.

        Args and result are those of `training_losses`; `drawn` is what `draw` gave.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must implement `sampled_losses`."
        )

    def training_losses(
        self,
        targets: Tensor,
        hidden: Tensor,
        table: Tensor,
        bias: Tensor,
        seed: keras.random.SeedGenerator | None,
    ) -> Tensor:
        if seed is None:
            raise ValueError(
                f"{type(self).__name__} draws negatives while training and needs "
                "`seed`. Received: seed=None. Pass a keras.random.SeedGenerator."
            )
        drawn = self.draw(table.shape[0], targets, seed)
        return self.sampled_losses(targets, hidden, table, bias, drawn)

    def get_config(self) -> dict[str, Any]:
        return {"num_negatives": self.num_negatives, **super().get_config()}


def _check_num_negatives(num_negatives):
    """Refuse what is neither a count of negatives nor a share of the items."""
    if is_integer(num_negatives) and num_negatives >= 1:
        return int(num_negatives)
    is_integral = isinstance(num_negatives, numbers.Integral)
    is_share = isinstance(num_negatives, numbers.Real) and not is_integral
    if is_share and 0 < num_negatives <= 1:
        return float(num_negatives)
    raise ValueError(
        "`num_negatives` must be an integer of at least 1 (a count) or a float "
        "above 0 and up to 1 (a share of the items). "
        f"Received: num_negatives={num_negatives!r}"
    )

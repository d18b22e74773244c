"""The base class of losses that draw negatives."""

from typing import Any

import keras
from keras import ops

from stackrec_keras.arguments import is_integer, is_number
from stackrec_keras.errors import ArgumentError
from stackrec_keras.losses.catalogue_loss import CatalogueLoss
from stackrec_keras.losses.negatives import sample_shape
from stackrec_keras.losses.one_pass import pays_in_one_pass
from stackrec_keras.losses.sampled_one_pass import (
    pays_for_sample,
    weighted_sampled_loss,
)
from stackrec_keras.types import Tensor


class SampledLoss(CatalogueLoss):
    """Base class of losses that compare each target with a few drawn items.

    A subclass implements `draw` and `sampled_losses`. Outside training the loss is
    `FullSoftmax`.

    On a CPU, `SampledSoftmax` and `GBCE` compute losses and gradients together, some
    positions at a time, if the negatives are drawn per batch or if they are many for
    the size of the catalogue. Values and gradients are the same as without it.

    Args:
        num_negatives: How many negatives to draw. An integer is a count, and a float is
            a fraction of the classes: `int(fraction * (num_items + 1))`, at least 1.
        include_padding: Boolean, whether class 0, the padding, may be drawn. Defaults
            to `False`.
        negatives_per: String, which positions share their negatives: all of a
            `"batch"`, all of a `"row"`, or none (`"position"`). Defaults to `None`:
            `draw` decides.

    Call arguments: see `CatalogueLoss`. Training requires `seed`.

    Raises:
        ArgumentError: If an argument is out of range, or if the loss is called in
            training with `seed=None`.

    Example:

    ```python
    class HingeLoss(SampledLoss):
        def draw(self, num_classes, y_true, seed):
            shape = self.sample_shape(num_classes, y_true)
            return keras.random.randint(shape, self.first_class, num_classes, seed=seed)

        def sampled_losses(self, targets, hidden, table, bias, drawn):
            ...
    ```
    """

    def __init__(
        self,
        num_negatives: int | float,
        include_padding: bool = False,
        negatives_per: str | None = None,
    ) -> None:
        super().__init__(include_padding=include_padding)
        self.num_negatives = _check_num_negatives(num_negatives)
        self.negatives_per = negatives_per

    @property
    def first_class(self) -> int:
        """Integer, the first class that may be drawn."""
        return 0 if self.include_padding else 1

    def count(self, num_classes: int) -> int:
        """Returns the number of negatives to draw, at least 1."""
        if isinstance(self.num_negatives, float):
            return max(1, int(self.num_negatives * num_classes))
        return self.num_negatives

    def sample_shape(self, num_classes: int, y_true: Tensor) -> tuple:
        """Returns the shape of a draw: `(count,)` for a batch, `(batch, count)` for
        rows, `(batch, time, count)` for positions."""
        per = self.negatives_per or "batch"
        return sample_shape(per, y_true, self.count(num_classes))

    def draw(
        self, num_classes: int, y_true: Tensor, seed: keras.random.SeedGenerator | None
    ) -> Any:
        """Draws the negatives of a step.

        Args:
            num_classes: Integer, `num_items + 1`.
            y_true: int32 tensor of shape `(batch, time)`, the targets.
            seed: A `keras.random.SeedGenerator`.

        Returns:
            What `sampled_losses` takes as `drawn`.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `draw`.")

    def sampled_losses(
        self, targets: Tensor, hidden: Tensor, table: Tensor, bias: Tensor, drawn: Any
    ) -> Tensor:
        """Returns the loss of each position against the drawn negatives.

        Args:
            targets: As in `training_losses`.
            hidden: As in `training_losses`.
            table: As in `training_losses`.
            bias: As in `training_losses`.
            drawn: What `draw` returned.

        Returns:
            A float32 tensor of shape `(batch, time)`.
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
        drawn = self._checked_draw(table.shape[0], targets, seed)
        return self.sampled_losses(targets, hidden, table, bias, drawn)

    def _training_sum(self, targets, hidden, table, bias, weights, seed):
        is_own = type(self).training_losses is not SampledLoss.training_losses
        if is_own or not pays_in_one_pass(hidden):
            return super()._training_sum(targets, hidden, table, bias, weights, seed)
        drawn = self._checked_draw(table.shape[0], targets, seed)
        sample = self._sample(drawn, table.shape[0])
        if sample is None or not pays_for_sample(sample.ids, table.shape[0]):
            losses = self.sampled_losses(targets, hidden, table, bias, drawn)
            return ops.sum(losses * weights)
        return weighted_sampled_loss(sample, targets, hidden, table, bias, weights)

    def _sample(self, drawn, num_classes):
        """Returns the `Sample` from which one pass computes the losses and gradients,
        or `None` if only `sampled_losses` computes them."""
        return None

    def _checked_draw(self, num_classes, targets, seed):
        if seed is None:
            raise ArgumentError(
                "seed",
                f"must not be None, because {type(self).__name__} draws negatives in "
                "training",
                "Give a keras.random.SeedGenerator.",
                seed,
            )
        return self.draw(num_classes, targets, seed)

    def get_config(self) -> dict[str, Any]:
        config = {"num_negatives": self.num_negatives, **super().get_config()}
        if self.negatives_per is not None:
            config["negatives_per"] = self.negatives_per
        return config


def _check_num_negatives(num_negatives):
    if is_integer(num_negatives) and num_negatives >= 1:
        return int(num_negatives)
    is_fraction = is_number(num_negatives) and not is_integer(num_negatives)
    if is_fraction and 0 < num_negatives <= 1:
        return float(num_negatives)
    raise ArgumentError(
        "num_negatives",
        "must be a count (an integer of at least 1) or a fraction of the classes "
        "(a float above 0 and at most 1)",
        received=num_negatives,
    )

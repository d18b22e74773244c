"""What one step computes: the loss in training, the ranks in evaluation, the scores in
prediction. In all three cases, `call` returns hidden states."""

from typing import Any

import keras
from keras import ops

from stackrec_keras.errors import warn
from stackrec_keras.layers import OutputTable, with_dense_gradient
from stackrec_keras.layers.tracing import (
    mean_over_devices,
    num_replicas,
    share_of_batch,
)
from stackrec_keras.losses.validation_loss import (
    last_of_row,
    row_weights,
    validation_losses,
)
from stackrec_keras.models.compiled import Compiled
from stackrec_keras.models.inputs import Data, as_features, items_of
from stackrec_keras.models.length_parts import in_parts, joined, joined_inputs
from stackrec_keras.models.seen_in_evaluation import without_seen
from stackrec_keras.models.training_loop import values_of
from stackrec_keras.types import Tensor


class Steps(keras.Model):
    """The steps of a model, as Keras' training loop runs them."""

    compiled_with: Compiled
    output_table: OutputTable
    seed_generator: keras.random.SeedGenerator
    features: tuple[str, ...]
    trained_length: int | None
    trained_features: tuple[tuple[str, str, int], ...]
    loss: Any

    max_length: int | None = None
    """Integer or `None`, the maximum input length. Longer inputs are cut to their last
    items."""

    scores_what_it_reads = True
    """Boolean, whether histories and targets come from the same catalogue."""

    ranks_unseen: bool | None = None
    """Boolean, whether the running evaluation leaves the items of the history out of
    the ranking; `None` to use the `exclude_seen` given to `compile`."""

    def test_step(self, *args: Any) -> dict[str, Any]:
        *state, data = args
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        # The dict tells `compute_metrics` that this is an evaluation step.
        return super().test_step(*state, (x, {"next_item": y}, sample_weight))

    def predict_step(self, *args: Any) -> Any:
        *state, _ = args
        if not state:
            return self.output_table(super().predict_step(*args)[:, -1])
        hidden, non_trainable = super().predict_step(*args)
        with values_of(self, *state[0]):
            return self.output_table(hidden[:, -1]), non_trainable

    def compute_loss(
        self,
        x: Data = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        if not training:
            return self._evaluation_loss(x, y, y_pred, sample_weight) / num_replicas()
        if in_parts(x):  # one loss, because its positions share the drawn negatives
            x = joined_inputs(x)
            y, y_pred, sample_weight = map(joined, (y, y_pred, sample_weight))
        self._note_inputs(as_features(x))
        y, sample_weight = _as_tensors(y, sample_weight)
        y, hidden, sample_weight = self.training_targets(x, y, y_pred, sample_weight)
        loss = self.training_loss(y, hidden, sample_weight)
        extra = sum(ops.sum(ops.cast(part, loss.dtype)) for part in self.losses)
        weight = self.loss.total_weight(y, sample_weight)
        self.compiled_with.mean_loss.update_state(
            ops.stop_gradient(loss + extra), weight
        )
        return loss * share_of_batch(weight) + extra / num_replicas()

    def training_targets(
        self, x: Data, y: Tensor, hidden: Tensor, sample_weight: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Returns what the loss of a training step gets: targets, the hidden states
        that must predict them, and weights.

        Args:
            x: The inputs of the step.
            y: Integer tensor. With the shape `(batch, time)`, it holds the next item at
                each position, and 0 where there is no target. With the shape
                `(batch,)`, it holds the next item of each row.
            hidden: Tensor `(batch, time, dim)`, what `call` returned for `x`.
            sample_weight: `None`, or a tensor `(batch,)` or `(batch, time)`.
        """
        if len(y.shape) == 1:
            hidden = hidden[:, -1]
        return self.last_items(y), hidden, self.last_items(sample_weight)

    def training_loss(
        self, y: Tensor, hidden: Tensor, sample_weight: Tensor | None
    ) -> Tensor:
        """Returns the loss of a training step, a scalar. The arguments are what
        `training_targets` returns."""
        if self.output_table.normalize:
            # A hidden state without a target may be anything. If it is NaN, its norm
            # would make all gradients NaN.
            has_target = ops.expand_dims(ops.not_equal(y, 0), axis=-1)
            hidden = ops.where(has_target, hidden, ops.zeros_like(hidden))
        operands = self.output_table.operands(hidden, self.kept_ids())
        states, vectors, biases = operands
        return self.loss(
            y,
            states,
            with_dense_gradient(vectors),
            with_dense_gradient(biases),
            sample_weight=sample_weight,
            seed=self.seed_generator,
        )

    def kept_ids(self) -> Tensor | None:
        """Returns the argument `kept` of `OutputTable.item_weights` in a training step.
        This tensor is 0 for items that are treated as new, and 1 for the others. `None`
        means that no item is treated as new."""
        return None

    def compute_metrics(
        self, x: Data, y: Tensor, y_pred: Tensor, sample_weight: Tensor = None
    ) -> dict[str, Tensor]:
        # `compute_loss` has already updated the metrics: it scores all items anyway.
        if isinstance(y, dict):
            return self.get_metrics_result()
        loss = self.compiled_with.mean_loss
        return {loss.name: mean_over_devices(loss)}

    def last_items(self, values: Tensor) -> Tensor:
        """Cuts `(batch, time)` to the last `max_length` positions; anything else stays
        as it is."""
        if self.max_length is None or values is None or len(values.shape) == 1:
            return values
        return values[:, -self.max_length :]

    def _evaluation_loss(self, x, y, hidden, sample_weight):
        """Returns the mean loss of a batch. Also updates the metrics, which need the
        same scores of all items."""
        y = y["next_item"] if isinstance(y, dict) else y
        y, items, sample_weight = _as_tensors(y, items_of(x), sample_weight)
        scores = self.output_table(hidden[:, -1])
        y = last_of_row(y, items)
        losses, weights = validation_losses(y, scores), row_weights(y, sample_weight)
        self.compiled_with.mean_loss.update_state(losses, weights)
        ranked = without_seen(scores, items) if self._leaves_out_seen() else scores
        for metric in self.compiled_with.metrics:
            metric.update_state(y, ranked, weights)
        return ops.divide_no_nan(ops.sum(losses * weights), ops.sum(weights))

    def _leaves_out_seen(self):
        asked = self.ranks_unseen
        excludes = self.compiled_with.exclude_seen if asked is None else asked
        return excludes and self.scores_what_it_reads

    def _note_inputs(self, features):
        """Remembers which inputs an exported program must take."""
        self.trained_features = tuple(
            (name, _program_dtype(values.dtype), len(values.shape))
            for name, values in features.items()
            if name in self.features
        )
        # TensorFlow does not know the length once it has seen several lengths.
        self.note_length(features["items"].shape[1] or 0)

    def note_length(self, length: int) -> None:
        """Remembers the length of training rows, and warns if they are too long."""
        if self.max_length is not None and length > self.max_length:
            warn(
                f"Rows have {length} items, but the model reads and learns only the "
                f"last max_length={self.max_length}. Build it with max_length={length} "
                "to train on all of them.",
            )
            length = self.max_length
        self.trained_length = max(self.trained_length or 0, length) or None


def _as_tensors(*values):
    # A torch DataLoader gives tensors on the CPU, wherever the model is.
    return [None if v is None else ops.convert_to_tensor(v) for v in values]


def _program_dtype(dtype):
    """Returns the dtype of an input of an exported program. All floats get Keras'
    default precision, because batches and arrays may differ in precision."""
    dtype = keras.backend.standardize_dtype(dtype)
    return keras.backend.floatx() if "float" in dtype else dtype

import contextlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import keras
import numpy as np
from keras import ops

from stackrec_keras import losses, metrics
from stackrec_keras.data import Batches, Vocabulary
from stackrec_keras.data.full_batches import FullBatches
from stackrec_keras.layers import OutputTable, seed_generator, with_dense_gradient
from stackrec_keras.layers.arguments import check_integers, nearest_names
from stackrec_keras.layers.tensor import Tensor
from stackrec_keras.layers.tracing import num_replicas
from stackrec_keras.losses.validation_loss import last_of_row, validation_loss
from stackrec_keras.models.check_vocabulary import check_vocabulary
from stackrec_keras.models.checkpoint import GrowableCheckpoint, of_any_backend
from stackrec_keras.models.extension import extend_items
from stackrec_keras.models.fitting import (
    callbacks_for,
    check_arrays,
    checking,
    refuse_class_weight,
)
from stackrec_keras.models.freeze_stack import thawing
from stackrec_keras.models.inputs import (
    Data,
    check_ids,
    check_trained_users,
    default_signature,
    items_of,
    with_items,
)
from stackrec_keras.models.recommend import recommend
from stackrec_keras.models.training_loop import EpochSteps, KeepsValues, loss_tracker
from stackrec_keras.stacking import Growth, grow
from stackrec_keras.stacking.growth import block_stacks, depth


class SequentialRecommender(GrowableCheckpoint, EpochSteps, KeepsValues, keras.Model):
    """Base of all models: a next-item recommender whose depth can grow.

    A subclass builds its layers in the constructor, a `BlockStack` among them, and
    says how inputs become hidden states (`hidden_states`).

    Args:
        num_items: Integer; item ids are 1..num_items, 0 is padding (on the left).
        dim: Integer, the width of the hidden states.
        num_blocks: Integer, the depth to build with.
        **kwargs: `name`, `dtype` and the other arguments of a Keras model.

    Call arguments:
        inputs: Integer tensor of shape `(batch, time)`; for a model that takes
            users a dict of it (`"items"`) and of `"users"`, `(batch,)`.
        training: Boolean or `None`, as in Keras.

    Returns:
        Hidden states, a tensor of shape `(batch, time, dim)`.
    """

    max_length: int | None = None
    """Integer or `None`. A longer input keeps its last items."""

    num_users: int | None = None
    """Integer or `None`, for a model that takes users."""

    output_fan_in = False
    """Boolean, how the output table starts: see `OutputTable`."""

    output_name = "output_table"
    """String, the name of the output table's layer."""

    def __init__(self, num_items: int, dim: int, num_blocks: int, **kwargs) -> None:
        try:
            super().__init__(**kwargs)
        except ValueError as error:
            raise ValueError(f"{error}{nearest_names(type(self), kwargs)}") from error
        check_integers(num_items=num_items, num_blocks=num_blocks)
        self.num_items = int(num_items)
        self.initial_blocks = int(num_blocks)
        # Scores are compared with each other: half precision would make ties.
        self.output_table = OutputTable(
            num_items,
            dim,
            self.output_fan_in,
            dtype=self.dtype_policy.variable_dtype,
            name=self.output_name,
        )
        self.output_table.build((None, dim))
        self.seed_generator = seed_generator()
        self._vocabulary: Vocabulary | None = None
        self._gives_hidden = True

    def hidden_states(self, inputs: Data, training: bool | None) -> Tensor:
        """Returns hidden states `(batch, time, dim)` for `inputs` as in `call`."""
        raise NotImplementedError(f"{type(self).__name__} defines hidden_states().")

    @property
    def num_blocks(self) -> int:
        """Integer, the depth that the model has now."""
        return depth(self)

    @property
    def num_targets(self) -> int:
        """Integer, how many items are scored: `num_items`, but for a model that
        recommends from another catalogue than it reads."""
        return self.output_table.num_items

    @property
    def vocabulary(self) -> Vocabulary | None:
        """`Vocabulary` of the raw item ids, or `None`. A `.keras` file holds it."""
        return self._vocabulary

    @vocabulary.setter
    def vocabulary(self, vocabulary: Vocabulary | None) -> None:
        check_vocabulary("vocabulary", vocabulary, "num_items", self.num_items)
        self._vocabulary = vocabulary

    @property  # type: ignore[override]
    def target_vocabulary(self) -> Vocabulary | None:
        """`Vocabulary` of the items that are scored: `vocabulary`, but for a model
        that recommends from another catalogue than it reads."""
        return self.vocabulary

    @target_vocabulary.setter
    def target_vocabulary(self, vocabulary):
        self.vocabulary = vocabulary

    def build(self, input_shape: tuple | None = None) -> None:
        self.built = True

    def call(self, inputs: Data, training: bool | None = None) -> Tensor:
        inputs = with_items(inputs, self._last_items(items_of(inputs)))
        hidden = self.hidden_states(inputs, training)
        return hidden if self._gives_hidden else self.output_table(hidden[:, -1])

    def score(self, inputs: Data) -> Tensor:
        """Scores every item as the next one.

        Args:
            inputs: As in `call`.

        Returns:
            Tensor of shape `(batch, num_items + 1)`, the padding at -inf.
        """
        if not ops.is_tensor(items_of(inputs)):  # which may have no values yet
            check_ids(self, x=inputs)
        return self.output_table(self(inputs, training=False)[:, -1])

    def recommend(
        self, x: Data, k: int = 10, exclude_seen: bool = True, batch_size: int = 256
    ) -> tuple[np.ndarray, np.ndarray]:
        """Recommends the items with the highest next-item scores.

        Args:
            x: Item indices as for `call`; or a list of histories, oldest item first:
                lists of raw item ids for a model with a vocabulary, of indices for
                one without. Unknown items are skipped with a warning. Either may be
                the `"items"` of a dict with `"users"`, for a model that takes them.
            k: Integer, how many items.
            exclude_seen: Boolean, whether to leave out the items of the history.
            batch_size: Integer, histories scored at a time.

        Returns:
            A pair of arrays `(batch, k)`, best first: ids (raw ones if `x` has raw
            ones) and scores. Where a history leaves fewer than `k` items, the rest
            has id 0 (`None` if raw) and score -inf.

        Raises:
            ValueError: If a history has no known item or holds no integers (for a
                model without a vocabulary), or `k` is no integer in 1..num_items.
        """
        return recommend(self, x, k, exclude_seen, batch_size)

    def grow(
        self,
        method: str,
        num_blocks: int | None = None,
        top_blocks: int | None = None,
        cycle: int | None = None,
        inherit: str = "all",
        optimizer_state: str = "carry",
        seed: int | None = None,
    ) -> None:
        """Grows the model in place, and its optimizer with it.

        Args:
            method: String, a stacking method: see `stacking.block_sources`.
            num_blocks: Integer, the new depth. Defaults to twice the depth, or
                to `top_blocks` more.
            top_blocks: Integer or `None`: stack only that many of the top blocks
                (`"from_scratch"` takes none).
            cycle: Integer or `None`: after how many blocks the kind of block
                repeats. `None` keeps kernels at their dilation, or is 1 with
                `inherit="paper"`, as in the reference implementation.
            inherit: `"all"` carries every weight that has a source, a copy's gate
                starting at 0; `"all_but_gates"` the same, all gates starting at 0;
                `"paper"` carries what StackRec's release carries.
            optimizer_state: `"carry"` moves the optimizer's state with the weights;
                `"reset"` begins its moments and step count again, while the learning
                rate and its schedule go on. Defaults to `"carry"`.
            seed: Integer or `None`, for new random blocks.

        Raises:
            ValueError: If depth, method or optimizer do not fit. The model is
                untouched then.

        Reference:
            [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
        """
        if num_blocks is not None:
            check_integers(num_blocks=num_blocks)
        growth = Growth(method, top_blocks, cycle, inherit, optimizer_state, seed)
        grow(self, growth, num_blocks)

    def extend_items(
        self, n: int | None = None, init: str = "mean", ids: Sequence | None = None
    ) -> None:
        """Adds items to the catalogue in place, and to the optimizer's state.

        They get the indices after those there are. What the model scores the items
        that it knew does not change.

        Args:
            n: Integer, how many; `None` for as many as there are `ids`.
            init: What their vectors and biases are at first: `"mean"`, the mean of
                all items, or `"random"`, drawn with the mean and the deviation of
                each column.
            ids: List of their raw ids, for a model with a vocabulary.

        Raises:
            ValueError: If an argument does not fit the model; it is untouched then.

        Example:

        ```python
        model.extend_items(ids=new)
        model.fit(x, y)  # with new items in it
        ```
        """
        extend_items(self, n, init, ids)

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], object] | None = None,
        **kwargs,
    ) -> None:
        """Prints Keras' table of layers, and below it a line for each stack of blocks.

        Args:
            line_length: As in `keras.Model.summary`, and so are the others.
            positions: As there.
            print_fn: Function that is called with the table, then with each line;
                `None` prints.
            **kwargs: The other arguments of `keras.Model.summary`.
        """
        super().summary(line_length, positions, print_fn, **kwargs)
        for stack in block_stacks(self):
            (print_fn or print)(f" {stack.describe()}")

    def compile(
        self,
        optimizer: keras.optimizers.Optimizer | str = "auto",
        loss: Any = "auto",
        metrics: Any = "auto",
        **kwargs,
    ) -> None:
        """Configures training.

        Args:
            optimizer: A Keras optimizer; `"auto"` is Adam with rate 1e-3.
            loss: A loss of `stackrec_keras.losses`; `"auto"` is `FullSoftmax()`.
            metrics: List of metrics of `stackrec_keras.metrics`; `"auto"` is MRR,
                HitRate and NDCG at 5 and 10. They are computed in `evaluate` and
                validation, over all items.
            **kwargs: The other arguments of `keras.Model.compile`.

        Raises:
            ValueError: If a loss or metric would be fed hidden states.
        """
        compiled = _Compiled.from_arguments(loss, metrics, kwargs)
        if isinstance(optimizer, str) and optimizer == "auto":
            optimizer = keras.optimizers.Adam(1e-3)
        super().compile(optimizer=optimizer, **kwargs)
        self._compiled_with = compiled
        self.loss = compiled.loss
        # Built now, so that a checkpoint finds an optimizer to restore.
        self.optimizer.build(self.trainable_variables)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        if not self.compiled:
            return []
        return [loss_tracker(self), *self._compiled_with.metrics]

    def get_compile_config(self) -> dict[str, Any]:
        if not self.compiled:
            return {}
        return self._compiled_with.get_config(self.optimizer)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**keras.saving.deserialize_keras_object(of_any_backend(config)))

    def fit(
        self,
        x: Data = None,
        y: Tensor | None = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        **kwargs,
    ) -> keras.callbacks.History:
        """Trains the model; the arguments are those of `keras.Model.fit`.

        `x` is `(batch, time)` item ids and `y` `(batch, time)` the next item at each
        position, 0 = no target there; or `x` yields such pairs. `validation_data`
        has the one next item, `y` of shape `(batch,)`; of a `y` of shape
        `(batch, time)` the last position counts. `sample_weight` weighs rows,
        `(batch,)`, or positions, `(batch, time)`; there is no `class_weight`.

        Items that the model does not know are refused: of arrays at once, of
        `Batches` when an epoch that has them begins, so that a callback may
        `extend_items` before. Other iterables are not looked into.
        """
        refuse_class_weight(kwargs.get("class_weight"))
        validation = kwargs.get("validation_data")
        batches = check_arrays(self, x, y, validation)
        check_trained_users(self, x)
        validated = validation is not None or kwargs.get("validation_split", 0.0) > 0
        callbacks = callbacks_for(
            self, callbacks, x, validated, verbose, kwargs.get("steps_per_epoch")
        )
        if hasattr(x, "set_epoch"):
            # Keras would shuffle whole batches on top of their own order.
            kwargs["shuffle"] = False
            x.set_epoch(0)  # all rows, whatever share a fit before this ended with
        callbacks = checking(self, thawing(self, callbacks), batches)
        if isinstance(x, Batches) and not x.evaluation:
            x = FullBatches(x)
        with self.keeping_values():
            return super().fit(
                x, y, batch_size, epochs, verbose, callbacks=callbacks, **kwargs
            )

    def evaluate(
        self, x: Data = None, y: Tensor | None = None, **kwargs
    ) -> list[float] | dict[str, float]:
        """Ranks all items at each row's end; the arguments are those of
        `keras.Model.evaluate`, `y` being as in `fit`'s `validation_data`.
        `sample_weight` weighs rows, in the loss and in the metrics."""
        check_ids(self, x=x, y=y)
        with self.keeping_values():
            return super().evaluate(x, y, **kwargs)

    def predict(self, x: Data, **kwargs) -> np.ndarray:
        """Scores every item as the next one of each row, `(rows, num_items + 1)`; the
        arguments are those of `keras.Model.predict`."""
        check_ids(self, x=x)
        with self.keeping_values():
            return super().predict(x, **kwargs)

    def compute_loss(
        self,
        x: Data = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        y, sample_weight = _as_tensors(y, sample_weight)
        if not training:
            y = last_of_row(y, y_pred)
            return validation_loss(y, y_pred, sample_weight) / num_replicas()
        self._note_length(items_of(x).shape[1])
        loss = self.training_loss(y, y_pred, sample_weight)
        for extra in self.losses:
            loss = loss + ops.sum(ops.cast(extra, loss.dtype))
        return loss / num_replicas()

    def training_loss(self, y: Tensor, hidden: Tensor, sample_weight: Tensor) -> Tensor:
        """Returns the loss of a batch, as a scalar.

        Args:
            y: Integer tensor, the next item at each position `(batch, time)`, 0 =
                none, or at the last one alone, `(batch,)`.
            hidden: What `call` returned in this step of `fit`.
            sample_weight: `None`, or a tensor `(batch,)` or `(batch, time)`.
        """
        if len(y.shape) == 1:
            hidden = hidden[:, -1]
        return self.loss(
            self._last_items(y),
            hidden,
            with_dense_gradient(self.output_table.table),
            with_dense_gradient(self.output_table.bias),
            sample_weight=self._last_items(sample_weight),
            seed=self.seed_generator,
        )

    def compute_metrics(
        self, x: Data, y: Tensor, y_pred: Tensor, sample_weight: Tensor = None
    ) -> dict[str, Tensor]:
        if self._gives_hidden:
            loss = loss_tracker(self)
            return {loss.name: loss.result()}
        y, sample_weight = _as_tensors(y, sample_weight)
        y = last_of_row(y, y_pred)
        if sample_weight is not None:
            sample_weight = last_of_row(sample_weight, y_pred)
        for metric in self._compiled_with.metrics:
            metric.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def test_step(self, *args: Any) -> dict[str, Tensor]:
        with self._giving_scores():
            return super().test_step(*args)

    def predict_step(self, *args: Any) -> Tensor:
        with self._giving_scores():
            return super().predict_step(*args)

    def export(
        self,
        filepath: str | PathLike,
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs,
    ) -> Any:
        """Writes a program that gives what `predict` gives; the arguments are those of
        `keras.Model.export`. Without `input_signature` it takes histories of any
        length, or of that of training where the format must know it (`"torch"`,
        `"litert"`)."""
        if input_signature is None:
            input_signature = default_signature(self, format)
        with self._giving_scores():
            return super().export(filepath, format, verbose, input_signature, **kwargs)

    def _note_length(self, length):
        length = length or 0  # TensorFlow does not know it once it was given several
        if self.max_length is not None and length > self.max_length:
            warnings.warn(
                f"Rows have {length} items, of which the model reads and learns the "
                f"last max_length={self.max_length}. Build it with max_length={length} "
                "to train on all of them.",
                stacklevel=2,
            )
            length = self.max_length
        self.trained_length = max(self.trained_length or 0, length) or None

    def _last_items(self, values):
        """Cuts `(batch, time)` to the last `max_length` positions."""
        if self.max_length is None or values is None or len(values.shape) == 1:
            return values
        return values[:, -self.max_length :]

    @contextlib.contextmanager
    def _giving_scores(self):
        # What a compiled function computes is settled while it is traced.
        self._gives_hidden = False
        try:
            yield
        finally:
            self._gives_hidden = True

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_items": self.num_items,
            "num_blocks": self.num_blocks,
        }


def _as_tensors(*values):
    # A torch DataLoader gives tensors on the CPU, wherever the model is.
    return [None if v is None else ops.convert_to_tensor(v) for v in values]


@dataclass(frozen=True)
class _Compiled:
    """What a model was compiled with. Keras does not look inside of it, and so
    neither tracks the metrics a second time nor feeds them hidden states."""

    loss: losses.CatalogueLoss
    metrics: list
    arguments: dict

    @classmethod
    def from_arguments(cls, loss, metric_list, arguments):
        for name in ("weighted_metrics", "loss_weights"):
            if arguments.get(name) is not None:
                raise ValueError(
                    f"{name}={arguments[name]!r} has no meaning here: the model has "
                    "one loss, and its metrics rank the one next item. Leave it out; "
                    "the sample_weight of fit, evaluate and validation_data weighs "
                    "rows, in the metrics too."
                )
        return cls(losses.get(loss), metrics.get(metric_list), dict(arguments))

    def get_config(self, optimizer):
        parts = {"optimizer": optimizer, "loss": self.loss, "metrics": self.metrics}
        return {
            name: keras.saving.serialize_keras_object(part)
            for name, part in {**parts, **self.arguments}.items()
        }

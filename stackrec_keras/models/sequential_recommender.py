import contextlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any

import keras
import numpy as np
from keras import ops

from stackrec_keras import losses, metrics
from stackrec_keras.arguments import (
    check_bools,
    check_integers,
    nearest_names,
)
from stackrec_keras.data import Batches, Vocabulary
from stackrec_keras.data.full_batches import FullBatches
from stackrec_keras.layers import OutputTable, seed_generator, with_dense_gradient
from stackrec_keras.layers.tracing import num_replicas
from stackrec_keras.losses.validation_loss import (
    last_of_row,
    row_weights,
    validation_losses,
)
from stackrec_keras.models.check_vocabulary import check_vocabulary
from stackrec_keras.models.checked_batches import CheckedData, ChecksBatches
from stackrec_keras.models.checkpoint import GrowableCheckpoint, of_any_backend
from stackrec_keras.models.exporting import export
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
    check_weights,
    items_of,
    with_items,
)
from stackrec_keras.models.keras_files import SavesAsKeras
from stackrec_keras.models.recommend import recommend
from stackrec_keras.models.seen import warn_of_seen, without_seen
from stackrec_keras.models.shared_model import GiveWay, SharedModel
from stackrec_keras.models.similar_items import similar_items
from stackrec_keras.models.training_loop import (
    EpochSteps,
    KeepsValues,
    ScoringSteps,
)
from stackrec_keras.stacking import Growth, grow
from stackrec_keras.stacking.growth import block_stacks
from stackrec_keras.types import Tensor


class SequentialRecommender(
    ChecksBatches,
    SavesAsKeras,
    GrowableCheckpoint,
    SharedModel,
    ScoringSteps,
    EpochSteps,
    KeepsValues,
    keras.Model,
):
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

    scores_what_it_reads = True
    """Boolean, whether histories and targets are of one catalogue."""

    output_name = "output_table"
    """String, the name of the output table's layer."""

    seed_name = "seed_generator"
    """String, the name of the model's random generator."""

    def __init__(self, num_items: int, dim: int, num_blocks: int, **kwargs) -> None:
        try:
            super().__init__(**kwargs)
        except ValueError as error:
            raise ValueError(
                f"{error} {nearest_names(type(self), kwargs)}".strip()
            ) from error
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
        self.seed_generator = seed_generator(self.seed_name)
        self._vocabulary: Vocabulary | None = None

    def hidden_states(self, inputs: Data, training: bool | None) -> Tensor:
        """Returns hidden states `(batch, time, dim)` for `inputs` as in `call`."""
        raise NotImplementedError(f"{type(self).__name__} defines hidden_states().")

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
        return self.hidden_states(inputs, training)

    def score(self, inputs: Data) -> Tensor:
        """Scores every item as the next one.

        Args:
            inputs: As in `call`.

        Returns:
            Tensor of shape `(batch, num_items + 1)`, the padding at -inf.
        """
        if not ops.is_tensor(items_of(inputs)):  # which may have no values yet
            check_ids(self, x=inputs)
        with self.inferring():
            return self.output_table(self(inputs, training=False)[:, -1])

    def recommend(
        self,
        x: Data,
        k: int = 10,
        exclude_seen: bool = True,
        batch_size: int = 256,
        items: Any = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Recommends the items with the highest next-item scores.

        The model reads the last items of each history: as many as the training
        sequences had, also for a model without a `max_length`. A model that was not
        trained reads the last `max_length`, or all. `exclude_seen` leaves out the
        items of the whole history. Scores are computed for a part of a large
        catalogue at a time, so memory does not grow with the catalogue.

        Args:
            x: Item indices as for `call`; or a list of histories, oldest item first:
                lists of raw item ids for a model with a vocabulary, of indices for
                one without. Unknown items are skipped with a warning. Either may be
                the `"items"` of a dict with `"users"`, for a model that takes them.
            k: Integer, number of items for each history. Defaults to `10`.
            exclude_seen: Boolean, whether to leave out the items of the history.
                Defaults to `True`.
            batch_size: Integer, number of histories that the model reads at a time.
                Defaults to `256`.
            items: The only items to choose from: a list of items for all histories,
                or one list for each history. Raw ids if `x` has raw ids, otherwise
                indices. An item that occurs twice counts once. Defaults to `None`,
                which means all items.

        Returns:
            A pair of arrays `(batch, k)`, best first: ids (raw ids if `x` has raw
            ids) and scores. Of equal scores the lower index comes first. Where
            `items` and the history leave fewer than `k` items, the remaining ids are
            0 (`None` for raw ids) and their scores -inf.

        Raises:
            ValueError: If a history has no known item or does not hold integers (for
                a model without a vocabulary), `items` has an unknown item or none,
                `k` is not an integer in 1..num_items, or scores are NaN.
        """
        with self.lock.reading():
            return recommend(self, x, k, exclude_seen, batch_size, items)

    def similar_items(self, ids: Any, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """Finds the items that the model reads as most similar to some items.

        Similarity is the cosine of two input embeddings, the vectors of the items in
        a history. A vector of zeros has similarity 0 to every item.

        Args:
            ids: List or array of items: raw ids for a model with a vocabulary,
                otherwise indices.
            k: Integer, number of items for each of them. Defaults to `10`.

        Returns:
            A pair of arrays `(len(ids), k)`, best first: ids (raw ids for a model with
            a vocabulary) and cosines. The item itself is left out. Of equal cosines
            the lower index comes first.

        Raises:
            ValueError: If an item is unknown, `k` is not an integer in
                1..num_items - 1, or embeddings are not finite.
        """
        with self.lock.reading():
            return similar_items(self, ids, k)

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
        exclude_seen: bool | None = None,
        **kwargs,
    ) -> None:
        """Configures training.

        Args:
            optimizer: A Keras optimizer; `"auto"` is Adam with rate 1e-3.
            loss: A loss of `stackrec_keras.losses`; `"auto"` is `FullSoftmax()`.
            metrics: List of metrics of `stackrec_keras.metrics`; `"auto"` is MRR,
                HitRate and NDCG at 5 and 10. They are computed in `evaluate` and
                validation, over all items.
            exclude_seen: Boolean, whether validation and `evaluate` leave the items
                of the history out of the ranking, as `recommend` does. A target that
                is one of them counts as missed. Defaults to `None`: they do not, and
                a warning tells how many targets `recommend` would leave out.
            **kwargs: The other arguments of `keras.Model.compile`.

        Raises:
            ValueError: If a loss or metric would be fed hidden states, or
                `exclude_seen` is not a boolean.
        """
        if exclude_seen is not None:
            check_bools(exclude_seen=exclude_seen)
        compiled = _Compiled.from_arguments(loss, metrics, exclude_seen, kwargs)
        if isinstance(optimizer, str) and optimizer == "auto":
            optimizer = keras.optimizers.Adam(1e-3, name="adam")
        super().compile(optimizer=optimizer, **kwargs)
        self._compiled_with = compiled
        self.loss = compiled.loss
        # Built now, so that a checkpoint finds an optimizer to restore.
        self.optimizer.build(self.trainable_variables)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        if not self.compiled:
            return []
        return [self._compiled_with.mean_loss, *self._compiled_with.metrics]

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
        `extend_items` before, of other iterables before the step of their batch.
        """
        refuse_class_weight(kwargs.get("class_weight"))
        validation = kwargs.get("validation_data")
        weights = kwargs.get("sample_weight")
        batches = check_arrays(self, x, y, weights, validation)
        check_trained_users(self, x)
        if validation is not None and self.exclude_seen is None:
            is_pair = isinstance(validation, (list, tuple))
            given = validation[:2] if is_pair else (validation, None)
            warn_of_seen(self, given[0], given[1], stacklevel=3)
        validated = validation is not None or kwargs.get("validation_split", 0.0) > 0
        callbacks = callbacks_for(
            self, callbacks, x, validated, verbose, kwargs.get("steps_per_epoch")
        )
        if hasattr(x, "set_epoch"):
            # Keras would shuffle whole batches on top of their own order.
            kwargs["shuffle"] = False
            x.set_epoch(0)  # all rows, whatever share a fit before this ended with
        callbacks = checking(self, thawing(self, callbacks), batches)
        checked = CheckedData(self)
        x = checked.of("x", x, training=True)
        kwargs["validation_data"] = checked.of("validation_data", validation)
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = [GiveWay(), *callbacks]
        if isinstance(x, Batches) and not x.evaluation:
            x = FullBatches(x)
        with self.fitting(), self.keeping_values(), checked:
            return super().fit(
                x, y, batch_size, epochs, verbose, callbacks=callbacks, **kwargs
            )

    def evaluate(
        self,
        x: Data = None,
        y: Tensor | None = None,
        *args: Any,
        exclude_seen: bool | None = None,
        **kwargs,
    ) -> list[float] | dict[str, float]:
        """Ranks all items at each row's end.

        The arguments are those of `keras.Model.evaluate`, and one more. `y` is as in
        `fit`'s `validation_data`. `sample_weight` weighs rows: the loss and the metrics
        are weighted means over all rows that have a target.

        Args:
            exclude_seen: Boolean, as in `compile`; of the history it knows what is in
                `x`. The loss is over all items in either case. Defaults to what the
                model was compiled with.

        Raises:
            ValueError: If `x` or `y` have items that the model does not know.
        """
        check_ids(self, x=x, y=y)
        check_weights("sample_weight", kwargs.get("sample_weight"))
        if exclude_seen is None:
            exclude_seen = self.exclude_seen
            # `fit`, which has warned already, validates with a data set of its own.
            if exclude_seen is None and "_use_cached_eval_dataset" not in kwargs:
                warn_of_seen(self, x, y, stacklevel=3)
        else:
            check_bools(exclude_seen=exclude_seen)
        with self._excluding_seen(exclude_seen), self.inferring():
            with self.keeping_values(), CheckedData(self) as checked:
                return super().evaluate(checked.of("x", x), y, *args, **kwargs)

    def predict(self, x: Data, *args: Any, **kwargs) -> np.ndarray:
        """Scores every item as the next one of each row, `(rows, num_items + 1)`; the
        arguments are those of `keras.Model.predict`."""
        check_ids(self, x=x)
        checked = CheckedData(self)
        with self.inferring(), self.keeping_values(), checked:
            x = checked.of("x", x, targets=False)
            return super().predict(x, *args, **kwargs)

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
        self._note_length(items_of(x).shape[1])
        y, sample_weight = _as_tensors(y, sample_weight)
        y, hidden, sample_weight = self.training_targets(x, y, y_pred, sample_weight)
        loss = self.training_loss(y, hidden, sample_weight)
        for extra in self.losses:
            loss = loss + ops.sum(ops.cast(extra, loss.dtype))
        self._compiled_with.mean_loss.update_state(
            ops.stop_gradient(loss), self.loss.total_weight(y, sample_weight)
        )
        return loss / num_replicas()

    def training_targets(
        self, x: Data, y: Tensor, hidden: Tensor, sample_weight: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Returns what the loss of a training step gets: targets, the hidden states
        that are to predict them, and weights.

        Args:
            x: The inputs of the step.
            y: Integer tensor, the next item at each position `(batch, time)`, 0 =
                none, or only at the last one, `(batch,)`.
            hidden: Tensor `(batch, time, dim)`, what `call` returned for `x`.
            sample_weight: `None`, or a tensor `(batch,)` or `(batch, time)`.
        """
        if len(y.shape) == 1:
            hidden = hidden[:, -1]
        return self._last_items(y), hidden, self._last_items(sample_weight)

    def training_loss(
        self, y: Tensor, hidden: Tensor, sample_weight: Tensor | None
    ) -> Tensor:
        """Returns the loss of a training step, a scalar, from `training_targets`."""
        return self.loss(
            y,
            hidden,
            with_dense_gradient(self.output_table.table),
            with_dense_gradient(self.output_table.bias),
            sample_weight=sample_weight,
            seed=self.seed_generator,
        )

    def _evaluation_loss(self, x, y, hidden, sample_weight):
        """The mean loss of a batch. The scores serve the metrics too."""
        y = y["next_item"] if isinstance(y, dict) else y
        y, items, sample_weight = _as_tensors(y, items_of(x), sample_weight)
        scores = self.output_table(hidden[:, -1])
        y = last_of_row(y, items)
        losses, weights = validation_losses(y, scores), row_weights(y, sample_weight)
        self._compiled_with.mean_loss.update_state(losses, weights)
        excludes = self.exclude_seen and self.scores_what_it_reads
        ranked = without_seen(scores, items) if excludes else scores
        for metric in self._compiled_with.metrics:
            metric.update_state(y, ranked, weights)
        return ops.divide_no_nan(ops.sum(losses * weights), ops.sum(weights))

    def compute_metrics(
        self, x: Data, y: Tensor, y_pred: Tensor, sample_weight: Tensor = None
    ) -> dict[str, Tensor]:
        # The step's loss has updated them: one scoring of all items is enough.
        if isinstance(y, dict):
            return self.get_metrics_result()
        loss = self._compiled_with.mean_loss
        return {loss.name: loss.result()}

    def export(
        self,
        filepath: str | PathLike,
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs,
    ) -> Any:
        """Writes a program that gives what `predict` gives; the arguments are those of
        `keras.Model.export`.

        Without `input_signature` it takes histories of any length on TensorFlow and
        JAX. Histories must be as long as those of training on PyTorch, for `"litert"`,
        and for `"onnx"` on JAX.

        Raises:
            ValueError: If the backend cannot write the format, or the program must
                know a length that neither training nor `input_signature` tells.
            ImportError: If a package is missing.
        """
        return export(self, filepath, format, verbose, input_signature, **kwargs)

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

    @property
    def exclude_seen(self) -> bool | None:
        """Boolean or `None`, what the model was compiled with: see `compile`."""
        return self._compiled_with.exclude_seen if self.compiled else None

    @contextlib.contextmanager
    def _excluding_seen(self, on):
        """Context of an evaluation, whose compiled step ranks in one way."""
        if on == self.exclude_seen:
            yield
            return
        compiled, step = self._compiled_with, self.test_function
        self._compiled_with = replace(compiled, exclude_seen=on)
        self.test_function = None
        try:
            yield
        finally:
            self._compiled_with, self.test_function = compiled, step

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
    exclude_seen: bool | None
    arguments: dict
    mean_loss: keras.metrics.Mean = field(
        default_factory=lambda: keras.metrics.Mean("loss")
    )

    @classmethod
    def from_arguments(cls, loss, metric_list, exclude_seen, arguments):
        for name in ("weighted_metrics", "loss_weights"):
            if arguments.get(name) is not None:
                raise ValueError(
                    f"{name}={arguments[name]!r} has no meaning here: the model has "
                    "one loss, and its metrics rank the one next item. Leave it out; "
                    "the sample_weight of fit, evaluate and validation_data weighs "
                    "rows, in the metrics too."
                )
        return cls(
            losses.get(loss), metrics.get(metric_list), exclude_seen, dict(arguments)
        )

    def get_config(self, optimizer):
        parts = {
            "optimizer": optimizer,
            "loss": self.loss,
            "metrics": self.metrics,
            "exclude_seen": self.exclude_seen,
        }
        return {
            name: keras.saving.serialize_keras_object(part)
            for name, part in {**parts, **self.arguments}.items()
        }

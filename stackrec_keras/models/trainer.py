"""How a recommender is compiled, trained, evaluated and used to predict."""

import contextlib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from stackrec_keras.arguments import check_bools
from stackrec_keras.data import Batches
from stackrec_keras.data.full_batches import FullBatches
from stackrec_keras.errors import ArgumentError
from stackrec_keras.models.checked_batches import CheckedData, ChecksBatches
from stackrec_keras.models.checked_inputs import (
    check_ids,
    check_training_inputs,
    check_weights,
)
from stackrec_keras.models.checkpoint import make_portable
from stackrec_keras.models.compiled import Compiled
from stackrec_keras.models.equal_parts import (
    fill_up,
    fill_up_validation,
    num_parts,
    num_rows,
    refuse_parts,
    refuse_validation_split,
)
from stackrec_keras.models.fitting import (
    add_id_checks,
    check_arrays,
    prepare_callbacks,
    refuse_class_weight,
)
from stackrec_keras.models.freeze_stack import add_unfreezing
from stackrec_keras.models.inputs import Data
from stackrec_keras.models.item_features import check_not_zero
from stackrec_keras.models.seen_in_evaluation import warn_of_seen
from stackrec_keras.models.shared_model import GiveWay, SharedModel
from stackrec_keras.models.steps import Steps
from stackrec_keras.models.training_loop import EpochSteps, KeepsValues
from stackrec_keras.stacking.optimizer_state import (
    begin_first_averages,
    build_optimizer,
)
from stackrec_keras.types import Tensor


class Trainer(ChecksBatches, SharedModel, Steps, EpochSteps, KeepsValues, keras.Model):
    """A recommender's `compile`, `fit`, `evaluate` and `predict`."""

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
            optimizer: A Keras optimizer. Defaults to `"auto"`, Adam with a learning
                rate of 1e-3.
            loss: A loss of `stackrec_keras.losses`. Defaults to `"auto"`,
                `FullSoftmax()`.
            metrics: List of metrics of `stackrec_keras.metrics`, computed in
                `evaluate` and validation, over all items. Defaults to `"auto"`: MRR,
                HitRate and NDCG at 5 and 10.
            exclude_seen: Boolean, whether validation and `evaluate` leave the items
                of the history out of the ranking, as `recommend` does. A target among
                these items then counts as missed. Defaults to `None`: all items are
                ranked, and a warning says how many targets `recommend` would leave out.
            **kwargs: The other arguments of `keras.Model.compile`.

        Raises:
            ArgumentError: If the loss does not take hidden states, a metric does not
                take scores, `exclude_seen` is not a boolean, or there is no such
                argument.
        """
        if exclude_seen is not None:
            check_bools(exclude_seen=exclude_seen)
        compiled = Compiled.from_arguments(loss, metrics, exclude_seen, kwargs)
        if isinstance(optimizer, str) and optimizer == "auto":
            optimizer = keras.optimizers.Adam(1e-3, name="adam")
        super().compile(optimizer=optimizer, **kwargs)
        self.compiled_with = compiled
        self.loss = compiled.loss
        # Built now, so that a checkpoint finds an optimizer to restore.
        build_optimizer(self.optimizer, self.trainable_variables)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        if not self.compiled:
            return []
        return [self.compiled_with.mean_loss, *self.compiled_with.metrics]

    @property
    def exclude_seen(self) -> bool | None:
        """Boolean or `None`, what the model was compiled with: see `compile`."""
        return self.compiled_with.exclude_seen if self.compiled else None

    def get_compile_config(self) -> dict[str, Any]:
        if not self.compiled:
            return {}
        return self.compiled_with.get_config(self.optimizer)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**keras.saving.deserialize_keras_object(make_portable(config)))

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
        """Trains the model; takes the arguments of `keras.Model.fit`.

        `x` holds item ids and `y` the next item at each position, 0 where there is no
        target, both `(batch, time)`. Or `x` yields such pairs. In `validation_data`,
        `y` is the single next item of each row, `(batch,)`; if it is `(batch, time)`,
        only the last position counts. `sample_weight` weights rows, `(batch,)`, or
        positions, `(batch, time)`. There is no `class_weight`.

        Unknown items are refused: in arrays before training, in `Batches` before the
        epoch that has them, and in other iterables before the step of their batch. So
        with `Batches`, a callback can call `extend_items` before that epoch.
        """
        refuse_class_weight(kwargs.get("class_weight"))
        refuse_validation_split(kwargs.get("validation_split", 0.0))
        validation = kwargs.get("validation_data")
        weights = kwargs.get("sample_weight")
        batches = check_arrays(self, x, y, weights, validation)
        check_training_inputs(self, x)
        check_not_zero(self)
        if validation is not None and self.exclude_seen is None:
            is_pair = isinstance(validation, (list, tuple))
            given = validation[:2] if is_pair else (validation, None)
            warn_of_seen(self, given[0], given[1])
        validated = validation is not None or kwargs.get("validation_split", 0.0) > 0
        callbacks = prepare_callbacks(
            self, callbacks, x, validated, verbose, kwargs.get("steps_per_epoch")
        )
        if hasattr(x, "set_epoch"):
            # Keras would shuffle whole batches on top of their own order.
            kwargs["shuffle"] = False
            x.set_epoch(0)  # all rows, even if an earlier fit ended with fewer
        callbacks = add_id_checks(self, add_unfreezing(self, callbacks), batches)
        checked = CheckedData(self)
        x = checked.of("x", x, training=True)
        validation = checked.of("validation_data", validation)
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = [GiveWay(), *callbacks]
        size = kwargs.get("validation_batch_size") or batch_size
        kwargs["validation_data"] = fill_up_validation(validation, size)
        if isinstance(x, Batches) and not x.evaluation:
            refuse_parts(self, x)
            self.note_length(x.full_width)
            x = FullBatches(x, num_parts())
        else:
            x, y, kwargs["sample_weight"] = fill_up(x, y, weights, batch_size)
        with self.fitting(), self.keeping_values(), checked:
            begin_first_averages(self)
            return super().fit(
                x, y, batch_size, epochs, verbose, callbacks=callbacks, **kwargs
            )

    def evaluate(
        self,
        x: Data = None,
        y: Tensor | None = None,
        batch_size: int | None = None,
        *args: Any,
        exclude_seen: bool | None = None,
        **kwargs,
    ) -> list[float] | dict[str, float]:
        """Ranks all items at the end of each row.

        Takes the arguments of `keras.Model.evaluate`, plus `exclude_seen`. `y` is as in
        the `validation_data` of `fit`. `sample_weight` weights rows: the loss and the
        metrics are weighted means over all rows that have a target.

        Args:
            exclude_seen: Boolean, as in `compile`. Only the part of the history that is
                in `x` counts. The loss is over all items in either case. Defaults to
                what the model was compiled with.

        Raises:
            ArgumentError: If `x` or `y` have items that the model does not know.
        """
        check_ids(self, x=x, y=y)
        check_weights("sample_weight", kwargs.get("sample_weight"))
        if exclude_seen is None:
            exclude_seen = self.exclude_seen
            # `fit`, which has warned already, validates with a data set of its own.
            if exclude_seen is None and "_use_cached_eval_dataset" not in kwargs:
                warn_of_seen(self, x, y)
        else:
            check_bools(exclude_seen=exclude_seen)
        checked, weights = CheckedData(self), kwargs.get("sample_weight")
        x, y, weights = fill_up(checked.of("x", x), y, weights, batch_size)
        if weights is not None:
            kwargs["sample_weight"] = weights
        with self.evaluating(), self._ranking(exclude_seen):
            with self.keeping_values(), checked:
                return super().evaluate(x, y, batch_size, *args, **kwargs)

    def predict(
        self, x: Data, batch_size: int | None = None, *args: Any, **kwargs
    ) -> np.ndarray:
        """Scores every item as the next one of each row, `(rows, num_items + 1)`; takes
        the arguments of `keras.Model.predict`."""
        if isinstance(x, Batches) and x.group_by_length:
            raise ArgumentError(
                "x",
                "is not in the order of its rows, because it has group_by_length=True",
                "Make the batches without it.",
                x,
            )
        check_ids(self, x=x)
        checked = CheckedData(self)
        with self.inferring(), self.keeping_values(), checked:
            data = checked.of("x", x, targets=False)
            filled, *_ = fill_up(data, batch_size=batch_size)
            scores = super().predict(filled, batch_size, *args, **kwargs)
        return scores[: num_rows(x)]

    @contextlib.contextmanager
    def _ranking(self, exclude_seen):
        """Context manager for an evaluation that may rank differently from what
        `compile` set. Its step is then traced separately; the usual step is restored
        afterwards."""
        if exclude_seen == self.exclude_seen:
            yield
            return
        step = self.test_function
        self.ranks_unseen, self.test_function = exclude_seen, None
        try:
            yield
        finally:
            self.ranks_unseen, self.test_function = None, step

"""Checks each batch of a generator, a pipeline or a loader, and of a single step.

An id that the model does not know makes all weights NaN on JAX; other backends read
zeros, or fail with an index error. A batch is checked in Python, where its values are
known, or within the graph of a tf.data pipeline.
"""

import copy
import sys
import types
import weakref
from dataclasses import dataclass
from typing import Any

import keras

from stackrec_keras.data import Batches
from stackrec_keras.data.further_columns import LATEST
from stackrec_keras.errors import ArgumentError
from stackrec_keras.models.checked_inputs import (
    check_batch,
    check_call,
    missing_targets,
)
from stackrec_keras.models.equal_parts import num_parts
from stackrec_keras.models.fitting import refuse_class_weight
from stackrec_keras.models.inputs import (
    LARGEST,
    TIMES,
    Data,
    as_features,
    missing_features,
)
from stackrec_keras.types import Tensor

_CHECKED: weakref.WeakSet = weakref.WeakSet()
"""Pipelines that are already checked; `fit` passes them on to `evaluate`."""


class ChecksBatches(keras.Model):
    """Base of a model that checks the inputs of Keras' single-batch methods."""

    def __call__(
        self, inputs: Data, training: bool | None = None, **kwargs: Any
    ) -> Tensor:
        # Checked here because Keras replaces errors from `call` with its own.
        check_call(self, inputs, training=bool(training))
        return super().__call__(inputs, training=training, **kwargs)

    def train_on_batch(
        self,
        x: Data,
        y: Tensor | None = None,
        sample_weight: Tensor | None = None,
        class_weight: dict | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Trains on one batch, refusing what `fit` refuses; takes the arguments of
        `keras.Model.train_on_batch`."""
        refuse_class_weight(class_weight)
        check_batch(self, (x, y, sample_weight), training=True)
        return super().train_on_batch(x, y, sample_weight, None, return_dict)

    def test_on_batch(
        self,
        x: Data,
        y: Tensor | None = None,
        sample_weight: Tensor | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Evaluates one batch: ranks all items as the next item of each row; takes the
        arguments of `keras.Model.test_on_batch`."""
        check_batch(self, (x, y, sample_weight))
        return super().test_on_batch(x, y, sample_weight, return_dict)

    def predict_on_batch(self, x: Data) -> Any:
        """Scores every item as the next item of each row of one batch."""
        check_batch(self, (x,), targets=False)
        return super().predict_on_batch(x)


class CheckedData:
    """Context manager for a fit, an evaluation or a prediction; checks each batch.

    A TensorFlow pipeline wraps the `ArgumentError` of a check in an error of its own.
    This context manager then raises the `ArgumentError`.

    Args:
        model: The model that gets the batches.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.error: ArgumentError | None = None

    def of(
        self, name: str, data: Data, training: bool = False, targets: bool = True
    ) -> Data:
        """Returns data of the same kind whose batches are checked.

        Args:
            name: String, the name of the argument that holds `data`.
            data: A generator, a `keras.utils.PyDataset`, a `tf.data.Dataset` or a
                torch `DataLoader`. Anything else is returned as it is.
            training: Boolean, whether the model learns from the data.
            targets: Boolean, whether each batch must have targets.
        """
        wrap = _wrapper_of(data)
        if wrap is None:
            return data
        return wrap(data, _Check(self, f"{name}: ", training, targets))

    def __getstate__(self) -> dict[str, Any]:
        # A process that loads batches needs only what the checks read.
        names = ["num_items", "num_targets", "num_users"]
        names += ["features", "optional_features", "whole_features", "ignores_padding"]
        read = {name: getattr(self.model, name) for name in names}
        return {"model": types.SimpleNamespace(**read), "error": None}

    def __enter__(self) -> "CheckedData":
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        found = self.error
        if found is not None and error is not found and str(found) in str(error):
            raise found from None


@dataclass(frozen=True)
class _Check:
    context: CheckedData
    prefix: str
    training: bool
    targets: bool

    def __call__(self, batch):
        model = self.context.model
        try:
            check_batch(model, batch, self.prefix, self.training, self.targets)
        except ArgumentError as error:
            self.context.error = error
            raise

    def passes(self, batch):
        """Returns whether a TensorFlow batch is valid, as a boolean tensor."""
        import tensorflow as tf

        model = self.context.model
        x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
        features = as_features(x)
        unknown = set(features) - set(model.features)
        if unknown or missing_features(model, features, self.training):
            return tf.constant(False)
        ids = [(features["items"], 0, model.num_items)]
        if y is not None or self.targets:
            ids.append((y, 0, model.num_targets))
        users = features.get("users") if self.training else None
        if users is not None and model.num_users is not None:
            ids.append((users, -1, model.num_users - 1))
        passed = [_is_within(*each) for each in ids]
        passed.append(tf.shape(features["items"])[0] % num_parts() == 0)
        for name, values in features.items():
            if name not in ("items", "users"):
                largest = LATEST if name in TIMES else LARGEST
                passed.append(_fits(values, features["items"], largest))
                if name in model.whole_features:
                    passed.append(tf.constant(values.dtype.is_integer))
        if weights is not None:
            passed.append(_is_finite(weights))
        return tf.reduce_all(passed)


def _is_within(ids, first, last):
    import tensorflow as tf

    if ids is None or not ids.dtype.is_integer:
        return tf.constant(False)
    ids = tf.cast(ids, tf.int64)
    return tf.reduce_all((ids >= first) & (ids <= last))


def _is_finite(values):
    import tensorflow as tf

    return tf.reduce_all(tf.math.is_finite(tf.cast(values, "float32")))


def _fits(values, items, largest):
    """Returns whether a feature has a finite number for each item, or each row."""
    import tensorflow as tf

    kind, rank = values.dtype, values.shape.rank
    is_number = kind.is_integer or kind.is_floating or kind.is_bool
    if not is_number or rank not in (1, 2):
        return tf.constant(False)
    has_shape = tf.reduce_all(tf.equal(tf.shape(values), tf.shape(items)[:rank]))
    if not kind.is_integer:
        return has_shape & _is_finite(values)
    return has_shape & _is_within(values, -largest, largest)


def _wrapper_of(data):
    """Returns the function that wraps data of this kind, or `None` for data that is
    checked as a whole. A library that is not imported cannot have made the data."""
    if isinstance(data, keras.utils.PyDataset):
        return None if isinstance(data, Batches) else _CheckedDataset
    if isinstance(data, types.GeneratorType):
        return _checked_generator
    tensorflow, torch = sys.modules.get("tensorflow"), sys.modules.get("torch")
    if tensorflow is not None and isinstance(data, tensorflow.data.Dataset):
        return _checked_pipeline
    if torch is not None and isinstance(data, torch.utils.data.DataLoader):
        return _checked_loader
    return None


class _CheckedDataset(keras.utils.PyDataset):
    def __init__(self, data, check):
        super().__init__(
            workers=data.workers,
            use_multiprocessing=data.use_multiprocessing,
            max_queue_size=data.max_queue_size,
        )
        self.data = data
        self.check = check

    @property
    def num_batches(self):
        return self.data.num_batches

    def on_epoch_begin(self):
        self.data.on_epoch_begin()

    def on_epoch_end(self):
        self.data.on_epoch_end()

    def __getitem__(self, index):
        batch = self.data[index]
        self.check(batch)
        return batch


def _checked_generator(data, check):
    for batch in data:
        check(batch)
        yield batch


def _checked_loader(data, check):
    class Checked(type(data)):
        def __iter__(self):
            return _checked_generator(super().__iter__(), check)

    checked = copy.copy(data)
    checked.__class__ = Checked
    return checked


def _checked_pipeline(data, check):
    """Returns a pipeline that checks each batch in its graph. It calls Python only for
    an invalid batch, because leaving the graph takes as long as a small step."""
    if data in _CHECKED:
        return data
    import tensorflow as tf

    _, y, _ = keras.utils.unpack_x_y_sample_weight(data.element_spec)
    if y is None and check.targets:
        raise missing_targets(check.prefix)

    def checked(*batch):
        def refuse(*parts):
            check(tf.nest.pack_sequence_as(batch, parts))
            return True

        tf.cond(
            check.passes(batch),
            lambda: True,
            lambda: tf.numpy_function(refuse, tf.nest.flatten(batch), tf.bool),
        )
        return batch if isinstance(data.element_spec, tuple) else batch[0]

    mapped = data.map(checked)
    _CHECKED.add(mapped)
    return mapped

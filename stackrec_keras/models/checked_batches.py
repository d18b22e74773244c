"""Refuses ids that a model does not know in whatever yields batches.

JAX reads NaN beyond the end of a table, and so makes all weights NaN; other backends
read zeros, or fail with no more than an index. Each batch is looked at in Python, where
its values are known, or within the graph of a tf.data pipeline.
"""

import copy
import sys
import types
import weakref
from dataclasses import dataclass
from typing import Any

import keras

from stackrec_keras.data import Batches
from stackrec_keras.models.fitting import refuse_class_weight
from stackrec_keras.models.inputs import (
    Data,
    check_batch,
    check_call,
    items_of,
    missing_targets,
    users_of,
)
from stackrec_keras.types import Tensor

_CHECKED: weakref.WeakSet = weakref.WeakSet()
"""Pipelines that check their batches: `fit` hands one to `evaluate` to validate."""


class ChecksBatches(keras.Model):
    """What a model adds to the methods of Keras that take one batch."""

    def __call__(self, inputs: Data, *args: Any, **kwargs) -> Tensor:
        check_call(self, inputs)
        return super().__call__(inputs, *args, **kwargs)

    def train_on_batch(
        self,
        x: Data,
        y: Tensor | None = None,
        sample_weight: Tensor | None = None,
        class_weight: dict | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Trains on one batch, of which it refuses what `fit` refuses; the arguments
        are those of `keras.Model.train_on_batch`."""
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
        """Ranks all items at the end of each row of one batch; the arguments are those
        of `keras.Model.test_on_batch`."""
        check_batch(self, (x, y, sample_weight))
        return super().test_on_batch(x, y, sample_weight, return_dict)

    def predict_on_batch(self, x: Data) -> Any:
        """Scores every item as the next one of each row of one batch."""
        check_batch(self, (x,), targets=False)
        return super().predict_on_batch(x)


class CheckedData:
    """Context of a fit, an evaluation or a prediction that checks each batch of its
    data on the way in, and raises what was found as the ValueError that it is: a
    pipeline of TensorFlow would wrap it into an error of its own.

    Args:
        model: The model whose items and users the batches may have.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.error: ValueError | None = None

    def of(
        self, name: str, data: Data, training: bool = False, targets: bool = True
    ) -> Data:
        """Returns data of the same kind whose batches are checked.

        Args:
            name: String, the argument that `data` is.
            data: A generator, a `keras.utils.PyDataset`, a `tf.data.Dataset` or a
                torch `DataLoader`. Anything else is returned as it is.
            training: Boolean, whether the model learns from it.
            targets: Boolean, whether each batch must have targets.
        """
        wrap = _wrapper_of(data)
        if wrap is None:
            return data
        return wrap(data, _Check(self, f"{name}: ", training, targets))

    def __getstate__(self) -> dict[str, Any]:
        # A process that loads the batches needs no more of the model than sizes.
        names = ("num_items", "num_targets", "num_users")
        sizes = {name: getattr(self.model, name) for name in names}
        return {"model": types.SimpleNamespace(**sizes), "error": None}

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
        except ValueError as error:
            self.context.error = error
            raise

    def passes(self, batch):
        """Whether tensors of TensorFlow pass, as one of them."""
        import tensorflow as tf

        model = self.context.model
        x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
        takes = {"items", "users"} if model.num_users is not None else {}
        if isinstance(x, dict) and set(x) != takes:
            return tf.constant(False)
        ids = [(items_of(x), 0, model.num_items)]
        if y is not None or self.targets:
            ids.append((y, 0, model.num_targets))
        if self.training and model.num_users is not None:
            ids.append((users_of(x), -1, model.num_users - 1))
        passed = []
        for values, first, last in ids:
            if values is None or not values.dtype.is_integer:
                return tf.constant(False)
            values = tf.cast(values, tf.int64)
            passed.append(tf.reduce_all((values >= first) & (values <= last)))
        if weights is not None:
            passed.append(tf.reduce_all(tf.math.is_finite(tf.cast(weights, "float32"))))
        return tf.reduce_all(passed)


def _wrapper_of(data):
    """The function that wraps data of that kind, `None` for what is checked whole.
    Libraries that are not imported made none of it."""
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
    """Calls Python only for a batch that does not pass in the graph: to leave it for
    each one takes as long as a small step."""
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

"""Code that depends on the backend: tracing and compiling functions, and devices.

In layers/, only `random_numbers` imports a backend besides. In models/, three files do:
`torch_programs`, `saved_model` and `checked_batches`.
"""

import keras
import numpy as np
from keras import ops


def in_plain_graph():
    """Returns whether TensorFlow is tracing a graph that XLA will not compile."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf
    from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

    if tf.executing_eagerly():
        return False
    return not GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def trace_once(function):
    """Wraps a function so that a TensorFlow graph without XLA holds it only once,
    however often it is called.

    Elsewhere, returns the function unchanged. With XLA on a CPU, a shared function
    would run 20 times slower.
    """
    if not in_plain_graph():
        return function
    import tensorflow as tf

    return tf.function(function)


def compile_function(function):
    """Compiles a function of tensors. On PyTorch it returns the function unchanged."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.jit(function)
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, autograph=False)
    return function


def is_traced_by_jax(x):
    """Returns whether JAX is tracing `x`, to compile or differentiate a function."""
    if keras.backend.backend() != "jax":
        return False
    import jax

    return isinstance(x, jax.core.Tracer)


def num_replicas():
    """Returns the number of devices that share each batch. Their losses and gradients
    are added up."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def share_of_batch(weight):
    """Returns a device's part of the weight of a whole batch, a scalar.

    The loss of a batch is a mean over all its targets, of which one device may have
    more than another. So each device's mean must count by its part of the targets.

    Args:
        weight: Float tensor, the weight of the rows that this device has.
    """
    return 1.0 if num_replicas() == 1 else ops.divide_no_nan(weight, _sum(weight))


def mean_over_devices(mean):
    """Returns the result of a `keras.metrics.Mean` over the rows of all devices, in a
    step that each of them runs."""
    if num_replicas() == 1:
        return mean.result()
    return ops.divide_no_nan(_sum(mean.total), _sum(mean.count))


def _sum(value):
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    value = tf.convert_to_tensor(value)
    return context.all_reduce(tf.distribute.ReduceOp.SUM, value)


def is_on_one_cpu(x):
    """Returns whether a tensor is on a CPU whose program computes with no other device.

    Each CPU of a `MirroredStrategy` has a program and a part of the batch of its own.
    """
    if keras.backend.backend() == "torch":
        return x.device.type == "cpu"
    if keras.distribution.distribution() is not None:
        return False
    return keras.distribution.list_devices()[0].startswith("cpu")


def loop_over_chunks(chunk, count, rows, outputs, carried):
    """Computes tensors in chunks of rows, one after the other.

    Args:
        chunk: Function of a chunk's index and `carried`. It returns the chunk's rows of
            each output, and the new `carried`.
        count: Integer tensor, the number of chunks.
        rows: Integer, the number of rows in each chunk.
        outputs: Tuple of tensors of zeros, which the chunks fill. Rows after the last
            chunk stay 0; on PyTorch, they are missing from the result.
        carried: Tensors, or a nested structure of them, that each chunk passes on to
            the next one. Here, the values for the first chunk.

    Returns:
        A pair, the outputs and `carried` after the last chunk.
    """
    if keras.backend.backend() == "torch":
        # An update of a slice would copy the whole tensor.
        parts = []
        for index in range(max(1, int(count))):
            part, carried = chunk(index, carried)
            parts.append(part)
        return tuple(map(ops.concatenate, zip(*parts))), carried

    def update(index, values):
        outputs, carried = values
        part, carried = chunk(index, carried)
        start = index * rows
        outputs = tuple(
            ops.slice_update(output, (start,) + (0,) * (len(x.shape) - 1), x)
            for output, x in zip(outputs, part)
        )
        return outputs, carried

    return ops.fori_loop(0, count, update, (outputs, carried))


def values_if_known(x):
    """Returns the values of a tensor or array as a NumPy array, or `None`.

    It returns `None` if the values are not known yet, as in a traced function, or if
    PyTorch would have to wait for an accelerator to read them.
    """
    if not hasattr(x, "__array__") or isinstance(x, keras.KerasTensor):
        return None
    if ops.is_tensor(x) and not _has_known_values(x):
        return None
    return np.asarray(x)


def _has_known_values(tensor):
    if keras.backend.backend() == "tensorflow":
        return hasattr(tensor, "numpy")
    if keras.backend.backend() == "jax":
        return not is_traced_by_jax(tensor)
    import torch

    traced = torch.jit.is_tracing() or torch.compiler.is_compiling()
    return type(tensor) is torch.Tensor and tensor.device.type == "cpu" and not traced

"""The only file of layers that imports a backend. Of models, `torch_programs` exports
from PyTorch, and `checked_batches` knows the data sets of TensorFlow and PyTorch."""

import keras
import numpy as np


def in_plain_graph():
    """Returns whether a TensorFlow graph is being traced that XLA does not compile."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf
    from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

    if tf.executing_eagerly():
        return False
    return not GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def traced_once(function):
    """Returns a function that a plain graph holds once, however often it is called.

    Only there: XLA on a CPU runs a function that is called as such 20 times slower.
    """
    if not in_plain_graph():
        return function
    import tensorflow as tf

    return tf.function(function)


def compiled(function):
    """Returns a function of tensors, compiled where the backend compiles functions.
    PyTorch runs it as it is."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.jit(function)
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, autograph=False)
    return function


def in_jax_trace(x):
    """Returns whether `x` is traced by JAX, to be compiled or differentiated."""
    if keras.backend.backend() != "jax":
        return False
    import jax

    return isinstance(x, jax.core.Tracer)


def num_replicas():
    """Returns on how many devices a step runs, each on a part of the batch, whose
    losses and gradients are then added up."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def values_at_hand(x):
    """Returns a tensor or an array as an array of NumPy, `None` where its values are
    not known yet, or would have to be fetched from an accelerator that PyTorch runs
    ahead on."""
    if not hasattr(x, "__array__") or isinstance(x, keras.KerasTensor):
        return None
    if keras.ops.is_tensor(x) and not _is_at_hand(x):
        return None
    return np.asarray(x)


def _is_at_hand(tensor):
    if keras.backend.backend() == "tensorflow":
        return hasattr(tensor, "numpy")
    if keras.backend.backend() == "jax":
        return not in_jax_trace(tensor)
    import torch

    traced = torch.jit.is_tracing() or torch.compiler.is_compiling()
    return type(tensor) is torch.Tensor and tensor.device.type == "cpu" and not traced

"""What `recommend` reads from a model, without changing it.

The weights are arguments of the compiled function. One function therefore serves any
number of threads, even while the model trains, grows and is extended.
"""

import threading
import weakref

import keras
from keras import ops

from stackrec_keras.layers.item_embedding import table_of
from stackrec_keras.layers.tracing import compile_function
from stackrec_keras.models.training_loop import running

_functions: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def last_hidden(model, inputs):
    """Returns a tensor `(batch, dim)`, the hidden state at the end of each row.

    Args:
        model: A `SequentialRecommender`.
        inputs: Array of items, or dict of features.
    """
    weights = _values(*model.variables)
    inputs = keras.tree.map_structure(ops.convert_to_tensor, inputs)
    return _function(model)(weights, inputs)


def output_weights(model):
    """Returns the vectors `(num_targets + 1, dim)` and the biases of the items that
    the model scores (see `OutputTable.operands`); row 0 is padding."""
    return _values(*model.output_table.item_weights())


def item_vectors(model):
    """Returns the input embeddings `(num_items + 1, dim)`; row 0 is padding."""
    return _values(table_of(model.item_embedding))[0]


def _values(*variables):
    return [ops.stop_gradient(variable) for variable in variables]


def _function(model):
    if model.run_eagerly:
        return _last_hidden_of(model)
    with _lock:
        if model not in _functions:
            _functions[model] = compile_function(_last_hidden_of(model))
        return _functions[model]


def _last_hidden_of(model):
    reference = weakref.ref(model)  # the cache must not keep its own keys alive

    def last_hidden(weights, inputs):
        model = reference()
        values = list(zip(model.variables, weights, strict=True))
        with running(model), keras.StatelessScope(values):
            return model(inputs, training=False)[:, -1]

    return last_hidden

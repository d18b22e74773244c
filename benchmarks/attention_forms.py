"""Measures which form of causal attention is faster on the current backend.

    KERAS_BACKEND=torch python benchmarks/attention_forms.py --steps 20

Times training steps of a SASRec of 8 blocks (width 64, 49 positions, batch 128). Steps
alternate between Keras' attention, which uses the backend's fused kernel, and attention
composed of basic operations.
"""

from unittest import mock

from forms import compare

import stackrec_keras as sr
from stackrec_keras.layers import causal_attention as module
from stackrec_keras.layers import rezero_transformer_stack as stack


def written_out(query, key, value, mask=None, dropout=0.0, seed=None):
    return module._attention(query, key, value, mask, 0.0, seed)


FORMS = {"fused": module.causal_attention, "written out": written_out}


def using(form):
    return mock.patch.object(stack, "causal_attention", form)


if __name__ == "__main__":
    compare(
        __doc__.split("\n")[0],
        FORMS,
        lambda: sr.SASRec(100, 49, num_blocks=8),
        using,
        batch=128,
        length=50,
    )

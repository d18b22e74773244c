"""Which form of the causal convolution is fastest on this backend.

    KERAS_BACKEND=tensorflow python benchmarks/convolution_forms.py

Training steps of a net of 8 blocks (width 64, 19 positions, batch 256) with each form
of `stackrec_keras.layers.causal_convolution`, in turn.
"""

from unittest import mock

from forms import compare

import stackrec_keras as sr
from stackrec_keras.layers import causal_convolution as module

FORMS = {"convolution": True, "sum of taps": False}


def using(is_fast):
    return mock.patch.object(module, "_has_fast_convolution", lambda: is_fast)


if __name__ == "__main__":
    compare(
        __doc__.split("\n")[0],
        FORMS,
        lambda: sr.NextItNet(100, 64, num_blocks=8),
        using,
        batch=256,
        length=20,
    )

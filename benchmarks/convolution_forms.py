"""Which form of the causal convolution is fastest on this backend.

    KERAS_BACKEND=tensorflow python benchmarks/convolution_forms.py

Times training steps of a model of 8 blocks (width 64, 19 positions, batch 256). Steps
alternate between the two forms of `stackrec_keras.layers.causal_convolution`: the
backend's own convolution, and a sum of matrix products. On JAX, the sum of products
runs in a loop over cycles of blocks, so only one cycle is compiled. With the
convolution, every block is compiled.
"""

import contextlib
from unittest import mock

from forms import compare

import stackrec_keras as sr
from stackrec_keras.layers import causal_convolution, dilated_residual_stack

FORMS = {"convolution": True, "sum of products": False}


@contextlib.contextmanager
def using(is_fast):
    with contextlib.ExitStack() as patches:
        for module in (causal_convolution, dilated_residual_stack):
            patch = mock.patch.object(module, "has_fast_convolution", lambda: is_fast)
            patches.enter_context(patch)
        yield


if __name__ == "__main__":
    compare(
        __doc__.split("\n")[0],
        FORMS,
        lambda: sr.NextItNet(100, 64, num_blocks=8),
        using,
        batch=256,
        length=20,
    )

"""Comparing with numbers that were computed with StackRec's code."""

import keras
import numpy as np

RELATIVE = 1e-4


def assert_close(actual, expected, name=""):
    """Relative to the size of the array: single elements may be near zero."""
    actual = keras.ops.convert_to_numpy(actual)
    expected = keras.ops.convert_to_numpy(expected)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(
        actual, expected, rtol=RELATIVE, atol=RELATIVE * 0.1 * scale, err_msg=name
    )


def with_prefix(arrays, prefix):
    """The arrays whose names begin with a prefix, named without it."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }

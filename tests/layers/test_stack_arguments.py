import pytest
from refusals import refused

from stackrec_keras.layers import DilatedResidualStack, ReZeroTransformerStack


@pytest.mark.parametrize(
    "argument, value",
    [
        ("dim", 0),
        ("num_heads", 3),
        ("num_heads", 1.0),
        ("dropout", 1.0),
        ("rezero", "yes"),
        ("norm", "Post"),
    ],
)
def test_a_transformer_stack_refuses(argument, value):
    with refused(argument, value):
        ReZeroTransformerStack(**{"depth": 2, "dim": 4, argument: value})


@pytest.mark.parametrize(
    "argument, value",
    [("dim", 0), ("kernel_size", 0), ("rezero", 1), ("causal", None)],
)
def test_a_dilated_stack_refuses(argument, value):
    with refused(argument, value):
        DilatedResidualStack(**{"depth": 2, "dim": 4, argument: value})

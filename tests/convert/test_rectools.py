"""Weights of RecTools' transformer layers, by name."""

import numpy as np
import pytest
from golden_numbers import with_prefix
from refusals import refused

import stackrec_keras as sr


@pytest.fixture
def hstu(golden):
    """Weights of three blocks, and a function that builds the stack for them."""
    arrays, _ = golden("hstu_torch_time_position")
    sizes = {"dim": 8, "max_length": 7, "num_heads": 2, "qk_dim": 3}

    def build(depth=3, **options):
        return sr.layers.HSTUStack(depth, **{**sizes, **options})

    return with_prefix(arrays, "param0/"), build


@pytest.mark.parametrize(
    "change, argument, says",
    [
        (lambda w: w.pop("stu_blocks.1.uvqk_proj"), "weights", "no 'stu_blocks.1.uvqk"),
        (lambda w: w.update(extra=np.zeros(3)), "weights", "has 'extra', which"),
        (
            lambda w: w.update({"stu_blocks.0.uvqk_proj": np.zeros((8, 5))}),
            "weights['stu_blocks.0.uvqk_proj']",
            r"shape \(8, 5\), but the stack needs \(8, 28\)",
        ),
        (lambda w: w.clear(), "weights", "not of the model"),
        (
            lambda w: [w.pop(name) for name in list(w) if "blocks.2" in name],
            "weights",
            "depth=2",
        ),
    ],
)
def test_what_does_not_fit_changes_nothing(hstu, change, argument, says):
    weights, build = hstu
    stack = build()
    stack.build()
    before = stack.get_weights()
    change(weights)
    with refused(argument, says=says):
        sr.convert.load_rectools_weights(stack, weights)
    for old, new in zip(before, stack.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_stack_without_a_bias_needs_weights_without_it(hstu):
    weights, build = hstu
    stack = build(time_bias=False)
    with refused("weights", says="time_weights"):
        sr.convert.load_rectools_weights(stack, weights)
    for index in range(3):
        weights.pop(f"stu_blocks.{index}.rel_attn.time_weights")
    sr.convert.load_rectools_weights(stack, weights)
    expected = weights["stu_blocks.2.rel_attn.pos_weights"]
    np.testing.assert_array_equal(np.array(stack.position_table)[2], expected)


def test_other_stacks_and_gates_are_refused(hstu):
    weights, build = hstu
    with refused("stack"):
        sr.convert.load_rectools_weights(sr.layers.DilatedResidualStack(3, 8), weights)
    with refused("stack", says="rezero=False"):
        sr.convert.load_rectools_weights(build(rezero=True), weights)


@pytest.mark.parametrize("activation, num_layers", [("swiglu", 3), ("gelu", 2)])
def test_a_feed_forward_network_has_biases_or_not(activation, num_layers):
    torch = pytest.importorskip("torch")
    options = {"activation": activation, "expansion": 2, "use_ffn_bias": True}
    stack = sr.layers.LiGRStack(1, 4, **options)
    weights = {
        f"transformer_blocks.0.{name}": torch.randn(shape, dtype=torch.bfloat16)
        for name, shape in _ligr_shapes(num_layers).items()
    }
    sr.convert.load_rectools_weights(stack, weights)
    bias = weights["transformer_blocks.0.feed_forward.ff_linear_1.bias"]
    np.testing.assert_array_equal(np.array(stack.dense1_bias)[0], bias.float().numpy())


def _ligr_shapes(num_layers):
    """Shapes of the weights of a block of width 4 and twice that inside."""
    shapes = {
        "multi_head_attn.in_proj_weight": (12, 4),
        "multi_head_attn.in_proj_bias": (12,),
        "multi_head_attn.out_proj.weight": (4, 4),
        "multi_head_attn.out_proj.bias": (4,),
    }
    for i in (1, 2):
        shapes[f"layer_norm_{i}.weight"] = shapes[f"layer_norm_{i}.bias"] = (4,)
        shapes[f"gating_linear_{i}.weight"] = (4, 4)
        shapes[f"gating_linear_{i}.bias"] = (4,)
    for i in range(1, num_layers + 1):
        shape = (4, 8) if i == 2 else (8, 4)
        shapes[f"feed_forward.ff_linear_{i}.weight"] = shape
        shapes[f"feed_forward.ff_linear_{i}.bias"] = shape[:1]
    return shapes

import re
from collections.abc import Mapping

import numpy as np

from stackrec_keras.errors import ArgumentError
from stackrec_keras.layers import BlockStack, HSTUStack, LiGRStack
from stackrec_keras.types import Tensor


def load_rectools_weights(stack: BlockStack, weights: Mapping[str, Tensor]) -> None:
    """Copies the weights of RecTools' transformer layers into a stack.

    Args:
        stack: An `HSTUStack` for RecTools' `STULayers`, or a `LiGRStack` for
            `LiGRLayers`, with `rezero=False`. Its depth, sizes and options must match
            the layers.
        weights: The layers' `state_dict()`: a dict of torch tensors or arrays. Names
            look like `"stu_blocks.0.uvqk_proj"` or
            `"transformer_blocks.0.multi_head_attn.in_proj_weight"`.

    Raises:
        ArgumentError: If weights are missing, unexpected or of the wrong shape, or the
            stack has the wrong depth or type. The stack is then left unchanged.

    Example:

    ```python
    layers = rectools_model.torch_model.transformer_layers
    stack = sr.layers.HSTUStack(depth=2, dim=50, max_length=200)
    sr.convert.load_rectools_weights(stack, layers.state_dict())
    ```

    Reference:
        [RecTools](https://github.com/MobileTeleSystems/RecTools)
    """
    blocks, names = _layout(stack)
    arrays = {name: _array(value) for name, value in weights.items()}
    _check_depth(stack, arrays, blocks)
    kinds = stack.block_weights()
    sources = {
        name: [f"{blocks}.{i}.{names[name]}" for i in range(stack.depth)]
        for name in kinds
    }
    _check_names(stack, arrays, [one for many in sources.values() for one in many])
    values = {
        name: np.stack([_value(arrays, one, kinds[name].shape) for one in many])
        for name, many in sources.items()
    }
    if not stack.built:
        stack.build()
    for name, variable in stack.variables_by_name().items():
        variable.assign(values[name])


_HSTU = {
    "input_kernel": "uvqk_proj",
    "output_kernel": "output_mlp.weight",
    "output_bias": "output_mlp.bias",
    "input_norm_scale": "norm_input.weight",
    "input_norm_shift": "norm_input.bias",
    "attention_norm_scale": "norm_attn_output.weight",
    "attention_norm_shift": "norm_attn_output.bias",
    "time_table": "rel_attn.time_weights",
    "position_table": "rel_attn.pos_weights",
}

_LIGR = {
    "attention_kernel": "multi_head_attn.in_proj_weight",
    "attention_bias": "multi_head_attn.in_proj_bias",
    "projection_kernel": "multi_head_attn.out_proj.weight",
    "projection_bias": "multi_head_attn.out_proj.bias",
    **{f"dense{i}_kernel": f"feed_forward.ff_linear_{i}.weight" for i in (1, 2, 3)},
    **{f"dense{i}_bias": f"feed_forward.ff_linear_{i}.bias" for i in (1, 2, 3)},
    **{f"gating{i}_kernel": f"gating_linear_{i}.weight" for i in (1, 2)},
    **{f"gating{i}_bias": f"gating_linear_{i}.bias" for i in (1, 2)},
    **{f"norm{i}_scale": f"layer_norm_{i}.weight" for i in (1, 2)},
    **{f"norm{i}_shift": f"layer_norm_{i}.bias" for i in (1, 2)},
}


def _layout(stack):
    """Returns RecTools' names for the list of blocks and for the weights of a block."""
    if not isinstance(stack, (HSTUStack, LiGRStack)):
        raise ArgumentError("stack", "must be an HSTUStack or a LiGRStack", "", stack)
    if stack.rezero:
        raise ArgumentError(
            "stack",
            "has gates (rezero=True), which RecTools' blocks do not have",
            "Build it with rezero=False.",
        )
    if isinstance(stack, HSTUStack):
        return "stu_blocks", _HSTU
    return "transformer_blocks", _LIGR


def _array(value):
    if hasattr(value, "detach"):  # a torch tensor, maybe bfloat16
        value = value.detach().cpu().float()
    return np.asarray(value)


def _check_depth(stack, arrays, blocks):
    pattern = re.compile(rf"{blocks}\.(\d+)\.")
    found = [match for name in arrays if (match := pattern.match(name))]
    depth = len({match.group(1) for match in found})
    if not depth:
        raise ArgumentError(
            "weights",
            f"has no {blocks!r}, which the {type(stack).__name__} needs",
            "Give the state_dict of RecTools' transformer layers, not of the model.",
        )
    if depth != stack.depth:
        blocks = "1 block" if depth == 1 else f"{depth} blocks"
        raise ArgumentError(
            "weights",
            f"has {blocks}, but the stack has {stack.depth}",
            f"Build the stack with depth={depth}.",
        )


def _check_names(stack, arrays, names):
    options = "Build the stack with the sizes and options of the weights."
    missing = [name for name in names if name not in arrays]
    if missing:
        reason = f"has no {_listed(missing)}, which the stack needs"
        raise ArgumentError("weights", reason, options)
    extra = sorted(set(arrays) - set(names))
    if extra:
        reason = f"has {_listed(extra)}, which the {type(stack).__name__} does not have"
        raise ArgumentError("weights", reason, options)


def _listed(names):
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(map(repr, names[:5])) + more


def _value(arrays, name, shape):
    """Returns a weight in the stack's layout. Torch stores dense kernels transposed."""
    value = arrays[name]
    is_dense = name.endswith("weight") and len(shape) == 2
    expected = shape[::-1] if is_dense else shape
    if value.shape != expected:
        raise ArgumentError(
            f"weights[{name!r}]",
            f"has shape {value.shape}, but the stack needs {expected}",
            "Build the stack with the sizes of the weights.",
        )
    return value.T if is_dense else value

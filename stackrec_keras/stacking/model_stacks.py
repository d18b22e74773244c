"""The block stacks of a model."""

import keras

from stackrec_keras.layers import BlockStack


def block_stacks(model: keras.Model) -> list[BlockStack]:
    """Returns the `BlockStack`s of a model."""
    return [layer for layer in all_layers(model) if isinstance(layer, BlockStack)]


def stacked_variables(model: keras.Model) -> list[keras.Variable]:
    """Returns a model's variables whose first axis is the depth."""
    return [
        variable
        for stack in block_stacks(model)
        for variable in stack.variables_by_name().values()
    ]


def all_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Returns the layers of a model, with nested models replaced by their layers."""
    layers = []
    for layer in model.layers:
        layers += all_layers(layer) if isinstance(layer, keras.Model) else [layer]
    return layers


def depth(model: keras.Model) -> int:
    """Returns the number of blocks of each stack of a model."""
    stacks = block_stacks(model)
    if not stacks:
        raise ValueError(
            f"{type(model).__name__} cannot grow: it has no BlockStack among its "
            "layers. Build the model on a BlockStack."
        )
    return stacks[0].depth

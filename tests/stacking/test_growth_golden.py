"""What each method carries, against StackRec's reference implementation."""

import keras
import numpy as np
import pytest
from golden_numbers import with_prefix

import stackrec_keras as sr

pytestmark = pytest.mark.every_backend


@pytest.mark.parametrize("method", ["stackA", "stackC", "stackR", "stackE"])
def test_paper_inheritance_is_that_of_the_reference_implementation(golden, method):
    arrays, about = golden("stack_tf1")
    source = with_prefix(arrays, "source/")
    model = _model_with(source, 4)
    model.grow(method, inherit="paper", seed=1)

    release_name = "StackR" if method == "stackR" else method
    relation = about["methods"][release_name]["relation"]
    grown = _by_release_name(model, list(relation))
    for name, where in relation.items():
        if "from" in where:
            np.testing.assert_array_equal(grown[name], source[where["from"]], name)
        elif "constant" in where:
            np.testing.assert_allclose(
                grown[name], where["constant"], atol=1e-7, err_msg=name
            )
        else:
            assert where.get("random"), where
            for value in source.values():
                assert value.shape != grown[name].shape or (value != grown[name]).any()


def _model_with(weights, depth):
    model = sr.NextItNet(49, embedding_dim=8, num_blocks=depth)
    sr.convert.load_stackrec_weights(model, weights)
    return model


def _by_release_name(model, names):
    """The model's weights under the reference implementation's names, in its shapes."""
    found = {
        "allitem_embeddings": model.item_embedding.embeddings,
        "softmax_w": model.output_table.table,
        "softmax_b": model.output_table.bias,
    }
    parts = {"rez": "gate"}
    for i in "12":
        parts[f"dilated_conv{i}/weight"] = f"kernel{i}"
        parts[f"dilated_conv{i}/bias"] = f"bias{i}"
        parts[f"layer_norm{i}/gamma"] = f"norm{i}_scale"
        parts[f"layer_norm{i}/beta"] = f"norm{i}_shift"
    for block in range(model.num_blocks):
        for release, ours in parts.items():
            value = keras.ops.convert_to_numpy(getattr(model.stack, ours))[block]
            value = value[None] if release == "rez" or "weight" in release else value
            name = f"nextitnet_residual_blockdecoder_layer_{block}/{release}"
            found[name] = value
    assert set(found) == set(names)
    return {name: keras.ops.convert_to_numpy(value) for name, value in found.items()}

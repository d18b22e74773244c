"""NextItNet against numbers computed with StackRec's code (TensorFlow 1.15)."""

import keras
import numpy as np
import pytest
from golden_numbers import assert_close, with_prefix

import stackrec_keras as sr

pytestmark = pytest.mark.every_backend


def test_hidden_states_equal_the_releases(release):
    arrays, model = release
    hidden = model(arrays["in/batch"][:, :-1])
    assert_close(hidden, arrays["out/hidden"])


def test_every_block_computes_what_the_releases_does(release):
    arrays, model = release
    hidden = model.item_embedding(arrays["in/batch"][:, :-1])
    for index, weights in enumerate(model.stack._weights_of_each_block()):
        hidden = model.stack.block(hidden, weights, index % 2, False)
        name = f"block/nextitnet_residual_blockdecoder_layer_{index}_1"
        assert_close(hidden, arrays[name])


def test_scores_and_top_items_equal_the_releases(release):
    arrays, model = release
    hidden = keras.ops.convert_to_numpy(model(arrays["in/batch"][:, :-1]))[:, -1]
    scores = keras.ops.convert_to_numpy(model.score(arrays["in/batch"][:, :-1]))
    assert_close(scores[:, 1:], arrays["out/logits_last"][:, 1:])
    # StackRec's code ranks its padding class too; its own row of the table says where.
    table, bias = model.output_table.get_weights()
    with_padding = hidden @ table.T + bias
    top = np.argsort(-with_padding, axis=1, kind="stable")
    assert (top[:, :5] == arrays["out/top5_ids"]).all()
    assert (top[:, :10] == arrays["out/top10_ids"]).all()


def test_three_training_steps_equal_the_releases(release):
    arrays, model = release
    loss = _GivenNegatives(include_padding=True)
    model.compile(
        keras.optimizers.Adam(1e-3, epsilon=1e-8), loss=loss, run_eagerly=True
    )
    for step in range(3):
        loss.given = {
            name: arrays[f"train/{step}/{name}"]
            for name in ("sampled_ids", "sampled_expected_count", "true_expected_count")
        }
        batch = arrays[f"train/{step}/batch"]
        value = model.train_on_batch(batch[:, :-1], batch[:, 1:])
        assert_close(value, arrays[f"train/{step}/loss"])
        _assert_variables(model, arrays, f"train/{step}/after/")


def test_a_checkpoint_of_another_depth_is_refused(release):
    arrays, _ = release
    model = sr.NextItNet(49, embedding_dim=8, num_blocks=8)
    with pytest.raises(ValueError, match="weights has 4 blocks, but the model has 8"):
        sr.convert.load_stackrec_weights(model, with_prefix(arrays, "var/"))


def test_a_checkpoint_with_a_missing_variable_changes_nothing(release):
    arrays, model = release
    weights = with_prefix(arrays, "var/")
    del weights["softmax_b"]
    weights["softmax_w"] = weights["softmax_w"] + 1
    before = model.get_weights()
    with pytest.raises(ValueError, match="no variable 'softmax_b'"):
        sr.convert.load_stackrec_weights(model, weights)
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)


@pytest.fixture
def release(golden):
    arrays, about = golden("nextitnet_tf1")
    config = about["config"]
    model = sr.NextItNet(
        config["items"] - 1,
        embedding_dim=config["embedding"],
        num_blocks=len(config["dilations"]),
        kernel_size=config["kernel"],
    )
    sr.convert.load_stackrec_weights(model, with_prefix(arrays, "var/"))
    return arrays, model


class _GivenNegatives(sr.losses.SampledSoftmax):
    def draw(self, num_classes, y_true, seed):
        return (
            keras.ops.convert_to_tensor(self.given["sampled_ids"], "int32"),
            keras.ops.log(self.given["sampled_expected_count"]),
            keras.ops.reshape(
                keras.ops.log(self.given["true_expected_count"]), y_true.shape
            ),
        )


def _assert_variables(model, arrays, prefix):
    # Reading its values through the converter of a second model keeps
    # the two layouts of variables in one place.
    expected = sr.NextItNet.from_config(model.get_config())
    sr.convert.load_stackrec_weights(expected, with_prefix(arrays, prefix))
    for variable, other in zip(model.weights, expected.weights):
        assert_close(variable, other, variable.path)

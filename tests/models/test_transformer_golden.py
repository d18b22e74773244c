"""SASRec and SSE-PT against numbers computed with StackRec's code (torch)."""

import keras
import numpy as np
import pytest
from golden_numbers import assert_close, with_prefix

import stackrec_keras as sr
from stackrec_keras.models.inputs import as_features

pytestmark = pytest.mark.every_backend

RELATIVE = 1e-4


def test_every_block_computes_what_the_releases_does(release):
    arrays, model = release
    inputs = _inputs(arrays, "in/")
    hidden = model.embed(as_features(inputs), training=False)
    hidden = hidden + model.position_embedding(np.arange(9))
    hidden = model.embedding_norm(hidden)
    assert_close(hidden, arrays["pre"])
    for index, weights in enumerate(model.stack._weights_of_each_block()):
        hidden = model.stack.block(hidden, weights, 0, False)
        assert_close(hidden, arrays[f"block/{index}"])


def test_hidden_states_scores_and_top_items_equal_the_releases(release):
    arrays, model = release
    inputs = _inputs(arrays, "in/")
    hidden = model(inputs)
    assert_close(hidden, arrays["out/hidden"])
    table, bias = model.output_table.get_weights()
    logits = keras.ops.convert_to_numpy(hidden) @ table.T + bias
    assert_close(logits, arrays["out/logits_all"])
    scores = keras.ops.convert_to_numpy(model.score(inputs))
    assert_close(scores[:, 1:], arrays["out/logits_last"][:, 1:])
    # StackRec's code ranks its padding class too; its own row of the table says where.
    top = np.argsort(-logits[:, -1], axis=1, kind="stable")
    assert (top[:, :10] == arrays["out/top10_ids"]).all()


def test_three_training_steps_equal_the_releases(release):
    arrays, model = release
    model.compile(
        keras.optimizers.Adam(1e-3),
        loss=sr.losses.FullSoftmax(include_padding=True),
        run_eagerly=True,
    )
    for step in range(3):
        # torch's Adam adds its epsilon, 1e-8, after the bias correction.
        model.optimizer.epsilon = 1e-8 * (1 - 0.999 ** (step + 1)) ** 0.5
        prefix = f"train/{step}/"
        inputs = _inputs(arrays, prefix)
        value = model.train_on_batch(inputs, arrays[prefix + "batch"][:, 1:])
        assert_close(value, arrays[prefix + "loss"])
        _assert_variables(model, with_prefix(arrays, prefix + "after/"))


def test_gradients_equal_the_releases(release):
    # A step of plain SGD at rate 1 moves each weight by its gradient.
    arrays, model = release
    model.compile(
        keras.optimizers.SGD(1.0),
        loss=sr.losses.FullSoftmax(include_padding=True),
        run_eagerly=True,
    )
    before = [keras.ops.convert_to_numpy(v) for v in model.weights]
    model.train_on_batch(_inputs(arrays, "train/0/"), arrays["train/0/batch"][:, 1:])
    gradients = _loaded(model, with_prefix(arrays, "train/0/grad/"))
    for variable, old, gradient in zip(model.weights, before, gradients.weights):
        new = keras.ops.convert_to_numpy(variable)
        # What is left of the weight in the difference is single precision's.
        np.testing.assert_allclose(
            old - new, gradient, rtol=RELATIVE, atol=1e-6, err_msg=variable.path
        )


@pytest.fixture(params=["sasrec_torch_h1", "ssept_torch_h2"])
def release(golden, request):
    arrays, about = golden(request.param)
    config = about["config"]
    sizes = {
        "num_items": config["item_size"] - 1,
        "max_length": config["seq_len"],
        "num_blocks": config["num_blocks"],
        "num_heads": config["num_heads"],
        "dropout": 0.0,
    }
    if "in/users" in arrays:
        num_users, user_dim = arrays["var/user_embeddings.weight"].shape
        noise = {"user_noise": 0.0, "item_noise": 0.0}
        dims = {"user_dim": user_dim, "item_dim": 8 - user_dim}
        model = sr.SSEPT(num_users=num_users, **sizes, **dims, **noise)
    else:
        model = sr.SASRec(embedding_dim=config["embed_dim"], **sizes)
    sr.convert.load_stackrec_weights(model, with_prefix(arrays, "var/"))
    return arrays, model


def _inputs(arrays, prefix):
    items = arrays[prefix + "batch"][:, :-1]
    if prefix + "users" not in arrays:
        return items
    return {"items": items, "users": arrays[prefix + "users"][:, 0]}


def _assert_variables(model, weights):
    for variable, other in zip(model.weights, _loaded(model, weights).weights):
        ours = keras.ops.convert_to_numpy(variable)
        theirs = keras.ops.convert_to_numpy(other)
        if variable.name == "attention_bias":
            ours, theirs = _without_key_bias(ours), _without_key_bias(theirs)
        assert_close(ours, theirs, variable.path)


def _without_key_bias(bias):
    # It adds the same to all scores of a query, so its gradient is 0 but for
    # rounding, which Adam blows up to whole steps.
    query, _, value = np.split(bias, 3, axis=-1)
    return np.concatenate([query, value], axis=-1)


def _loaded(model, weights):
    """Reading its values through the converter of a second model keeps
    the two layouts of variables in one place."""
    other = type(model).from_config(model.get_config())
    sr.convert.load_stackrec_weights(other, weights)
    return other

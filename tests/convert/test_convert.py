"""Checkpoints of the reference implementation, as files and as models."""

import os
import pickle

import keras
import numpy as np
import pytest
from refusals import refused

import stackrec_keras as sr

GOLDEN = {
    "nextitnet": ("nextitnet_tf1", {}),
    "grec": ("nextitnet_tf1", {}),
    "sasrec": ("sasrec_torch_h1", {}),
    "ssept": ("ssept_torch_h2", {"num_heads": 2}),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_checkpoint_tells_the_sizes_of_its_model(golden, name):
    file, arguments = GOLDEN[name]
    arrays, _ = golden(file)
    model = sr.convert.build_stackrec_model(name, _weights(arrays), **arguments)
    assert type(model).__name__.lower() == name
    assert model.num_items == 49
    inputs = arrays["in/batch"][:, :-1]
    if name == "ssept":
        inputs = {"items": inputs, "users": arrays["in/users"][:, 0]}
    scores = keras.ops.convert_to_numpy(model.score(inputs))
    np.testing.assert_allclose(
        scores[:, 1:], arrays["out/logits_last"][:, 1:], rtol=1e-4, atol=1e-4
    )


def test_an_unknown_model_is_refused_with_the_known_ones(golden):
    for name in ("bert", "hstu"):
        with refused("name", name, says="'nextitnet', 'grec', 'sasrec' or 'ssept'"):
            sr.convert.build_stackrec_model(name, {})


def test_a_checkpoint_of_another_model_is_refused(golden):
    arrays, _ = golden("sasrec_torch_h1")
    weights = _weights(arrays)
    with refused("weights", says="user_embeddings.* checkpoint of SSEPT"):
        sr.convert.build_stackrec_model("ssept", weights)
    with refused("weights", says="allitem_embeddings.* checkpoint of NextItNet"):
        sr.convert.build_stackrec_model("nextitnet", weights)


@pytest.mark.parametrize(
    "change, says",
    [
        (
            lambda w: w.update({"final.weight": w["final.weight"].T}),
            r"'final.weight' of shape \(8, 50\), .* the shape \(50, 8\)",
        ),
        (lambda w: w.pop("final.bias"), "no variable 'final.bias'"),
        (lambda w: w.update(extra=np.zeros(3)), "lacks: .'extra'"),
        (
            lambda w: w.update({"final.bias": np.zeros(3)}),
            r"'final.bias' of shape \(3,\), .* the shape \(50,\)",
        ),
        (
            lambda w: [w.pop(n) for n in list(w) if n.startswith("transformers.2")],
            "has 2 blocks, but the model has 3",
        ),
    ],
)
def test_what_does_not_fit_changes_nothing(golden, change, says):
    arrays, _ = golden("sasrec_torch_h1")
    weights = _weights(arrays)
    model = sr.SASRec(49, 10, 8, num_blocks=3)
    before = model.get_weights()
    change(weights)
    with refused("weights", says=says):
        sr.convert.load_stackrec_weights(model, weights)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_model_with_weights_of_its_own_is_refused(golden):
    arrays, _ = golden("nextitnet_tf1")
    model = sr.GRec(49, embedding_dim=8, num_blocks=4, encoder=True)
    with refused("model", received=model):
        sr.convert.load_stackrec_weights(model, _weights(arrays))


def test_gates_are_not_skipped_silently(golden):
    arrays, _ = golden("sasrec_torch_h1")
    model = sr.SASRec(49, 10, 8, num_blocks=3, rezero=False)
    with refused("weights", says="variables that SASRec lacks: .*rez"):
        sr.convert.load_stackrec_weights(model, _weights(arrays))


def test_a_torch_file_is_read(golden, tmp_path):
    torch = pytest.importorskip("torch")
    arrays, _ = golden("sasrec_torch_h1")
    weights = _weights(arrays)
    path = tmp_path / "sasrec.pt"
    torch.save({name: torch.tensor(value) for name, value in weights.items()}, path)
    _assert_equal(sr.convert.read_checkpoint(path), weights)
    learned = torch.nn.Parameter(torch.ones(3, dtype=torch.bfloat16))
    torch.save({"bias": learned}, path)
    _assert_equal(sr.convert.read_checkpoint(path), {"bias": np.ones(3, "float32")})
    for size in (100, 0):
        os.truncate(path, size)
        with refused("path", path, says=r"is damaged, .*\. Copy or download it again"):
            sr.convert.read_checkpoint(path)


def test_a_tensorflow_checkpoint_is_read(golden, tmp_path):
    tf = pytest.importorskip("tensorflow")
    arrays, _ = golden("nextitnet_tf1")
    weights = {**_weights(arrays), "softmax_w/Adam": np.zeros(3, "float32")}
    prefix = str(tmp_path / "model.ckpt")
    names, tensors = list(weights), [tf.constant(v) for v in weights.values()]
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=tensors,
    )
    found = sr.convert.read_checkpoint(prefix)
    _assert_equal(found, weights)
    assert sr.convert.build_stackrec_model("nextitnet", found).num_blocks == 4
    for part in (".index", ".data-00000-of-00001"):
        with refused("path", prefix + part, says="Give its prefix: .*model.ckpt$"):
            sr.convert.read_checkpoint(prefix + part)
    os.truncate(f"{prefix}.data-00000-of-00001", 100)
    with refused("path", prefix, says="damaged.* Copy .*model.ckpt.index and all of"):
        sr.convert.read_checkpoint(prefix)


def test_a_pickle_is_never_executed(tmp_path):
    pytest.importorskip("torch")
    path, proof = tmp_path / "evil.pt", tmp_path / "proof"
    with open(path, "wb") as file:
        pickle.dump({"final.bias": _Evil(proof)}, file)
    with refused("path", received=path):
        sr.convert.read_checkpoint(path)
    assert not proof.exists()


class _Evil:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_a_torch_file_without_a_state_dict_is_refused(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save([torch.zeros(2)], tmp_path / "list.pt")
    with refused("path", says="holds a list"):
        sr.convert.read_checkpoint(tmp_path / "list.pt")


def test_a_missing_checkpoint_is_refused_with_the_two_forms_of_one(tmp_path):
    with pytest.raises(
        FileNotFoundError, match="is not a file, and neither is .*ckpt.index"
    ):
        sr.convert.read_checkpoint(tmp_path / "model.ckpt")


def _weights(arrays):
    prefix = "var/"
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _assert_equal(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)

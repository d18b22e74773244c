import keras
import numpy as np
import pytest
from refusals import refused

import stackrec_keras as sr


def test_gates_are_a_frame_of_blocks(make_model):
    model = make_model(num_blocks=3)
    frame = sr.stacking.gates(model)
    assert list(frame.columns) == ["gate"] and frame.index.name == "block"
    np.testing.assert_allclose(frame["gate"], [0.3, 0.6, 0.9], atol=1e-6)
    model.grow("stackC")
    assert sr.stacking.gates(model)["gate"].tolist()[3:] == [0, 0, 0]


def test_a_transformer_block_has_two_gates():
    frame = sr.stacking.gates(sr.SASRec(9, 5, 4, num_blocks=2))
    assert list(frame.columns) == ["gate1", "gate2"] and len(frame) == 2


def test_a_model_without_gates_says_so(make_model):
    with refused("model", says="no gates.*rezero=True"):
        sr.stacking.gates(make_model(rezero=False))


def test_similarity_is_the_cosine_of_the_blocks_kernels(make_model):
    model = make_model(num_blocks=2)
    frame = sr.stacking.block_similarity(model)
    first, second = np.concatenate(
        [
            keras.ops.convert_to_numpy(kernel).reshape(2, -1)
            for kernel in (model.stack.kernel1, model.stack.kernel2)
        ],
        axis=1,
    )
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    np.testing.assert_allclose(frame, [[1, cosine], [cosine, 1]], atol=1e-6)


def test_copies_are_equal_and_new_blocks_are_not(make_model):
    model = make_model(num_blocks=2)
    model.grow("stackC")
    model.grow("stackR", num_blocks=5)
    frame = sr.stacking.block_similarity(model)
    assert frame.loc[0, 2] == pytest.approx(1) and frame.loc[1, 3] == pytest.approx(1)
    assert abs(frame.loc[0, 4]) < 0.3

"""The benchmark of a training step on a GPU, on a tiny model."""

import gpu_step
import keras
import pytest

import stackrec_keras as sr


@pytest.fixture(autouse=True)
def restored_policy():
    before = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(before)


def test_it_prints_a_line_for_each_model(capsys):
    sizes = "--blocks 1 --width 4 --length 5 --items 9 --batch 2 --square 8 --steps 1"
    gpu_step.main([*sizes.split(), "--models", "sasrec", "nextitnet"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[1:]] == ["sasrec", "nextitnet"]
    assert all("% of the peak" in line for line in lines[1:])


def test_operations_are_those_of_products_and_attention():
    convolutional = sr.NextItNet(9, embedding_dim=4, num_blocks=2)
    weights = 2 * 2 * 3 * 4 * 4 + 10 * 4  # two convolutions of width 3 in each block
    assert gpu_step.operations_per_token(convolutional, 5) == 6 * weights
    attentive = sr.SASRec(9, 5, embedding_dim=4, num_blocks=2)
    weights = 2 * 5 * 4 * 4 + 10 * 4  # query, key, value and two dense layers
    attention = 2 * 2 * 5 * 4
    assert gpu_step.operations_per_token(attentive, 5) == 6 * (weights + attention)

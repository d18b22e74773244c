import re

import keras
import numpy as np
import pytest
from small_data import NUM_ITEMS

import stackrec_keras as sr


def _paths(model):
    return [v.path for v in [*model.variables, *model.optimizer.variables]]


def test_names_do_not_count_the_models_of_the_process(kind):
    first, second = kind.build(num_blocks=1), kind.build(num_blocks=1)
    assert _paths(first) == _paths(second)
    assert not [path for path in _paths(first) if re.search(r"_\d+/", path)]
    transfers = [sr.TransferRecommender(model, 7) for model in (first, second)]
    for model in transfers:
        model.compile()
    assert _paths(transfers[0]) == _paths(transfers[1])
    paths = [v.path for v in transfers[0].variables]
    assert len(paths) == len(set(paths))  # torch keeps one variable a path


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="of torch")
def test_a_model_takes_the_state_dict_of_another(kind):
    other = kind.build(num_blocks=1)
    model = kind.build(num_blocks=1)
    model.load_state_dict(other.state_dict())
    for ours, theirs in zip(model.variables, other.variables):
        assert np.array_equal(
            keras.ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs)
        )


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="of torch")
def test_state_dicts_of_one_model_have_the_same_keys_when_it_is_loaded(tmp_path):
    model = sr.SASRec(NUM_ITEMS, max_length=4, embedding_dim=4, dropout=0.1)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert list(loaded.state_dict()) == list(model.state_dict())

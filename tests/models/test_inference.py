import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from stackrec_keras.models.inference import last_hidden


@pytest.mark.every_backend
@pytest.mark.parametrize("kind", ["NextItNet", "SSEPT"], indirect=True)
def test_it_follows_new_weights_growing_and_extending(kind, sequences):
    x = kind.inputs(sequences[0][:8])
    model = kind.build(num_blocks=1, compiled=False)

    def check():
        expected = _numpy(model(x))[:, -1]
        np.testing.assert_allclose(_numpy(last_hidden(model, x)), expected, atol=1e-5)

    check()
    model.set_weights([weight * 0.5 for weight in model.get_weights()])
    check()
    model.grow("stackC")
    model.extend_items(2)
    check()


@pytest.mark.every_backend
def test_a_model_is_not_kept_alive(make_model, sequences):
    model = make_model()
    last_hidden(model, sequences[0])
    reference = weakref.ref(model)
    del model
    keras.backend.clear_session()
    gc.collect()
    assert reference() is None


def test_threads_share_a_model(make_model, sequences):
    model = make_model(compiled=False)

    def recommend(number):
        return model.recommend(sequences[0][: 1 + number % 3], k=3)[1]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(recommend, range(24)))
    expected = model.recommend(sequences[0][:3], k=3)[1]
    for number, scores in enumerate(found):
        np.testing.assert_allclose(scores, expected[: 1 + number % 3], atol=1e-5)


def _numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)

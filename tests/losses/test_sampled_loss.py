import keras
import numpy as np
import pytest

from stackrec_keras.losses.sampled_loss import SampledLoss

pytestmark = pytest.mark.every_backend


def test_a_subclass_says_what_it_draws_and_what_it_makes_of_it():
    class Drawing(SampledLoss):
        def draw(self, num_classes, y_true, seed):
            return np.array([1])

    y, hidden = np.array([[1]]), np.ones((1, 1, 2), "float32")
    table, bias = np.ones((3, 2), "float32"), np.zeros(3, "float32")
    for kind, missing in ((SampledLoss, "draw"), (Drawing, "sampled_losses")):
        seed = keras.random.SeedGenerator(1)
        with pytest.raises(NotImplementedError, match=f"{kind.__name__}.*{missing}"):
            kind(1)(y, hidden, table, bias, seed=seed)

import pytest

import stackrec_keras as sr
from stackrec_keras.tuning import Choice, SearchSpace, StackingHyperModel


@pytest.fixture(autouse=True)
def eager(eager_on_tensorflow):
    """A search is many short trials."""


@pytest.fixture(scope="session")
def split():
    # 56, 8 and 16 rows. The batch size of 8 below divides them, because JAX compiles a
    # step again for a smaller last batch.
    log = sr.data.synthetic(num_users=40, num_items=12, events_per_user=20)
    vocabulary = sr.data.Vocabulary.from_items(log["item"])
    return sr.data.split_random(sr.data.make_windows(log, vocabulary, length=10))


@pytest.fixture
def make_hypermodel(split):
    """Function that makes a hypermodel of tiny models, which grow at epoch 1 of 2."""

    def make(model_class=sr.NextItNet, epochs=2, space=None, **arguments):
        fixed = {
            "start_blocks": 1,
            "growths": 1,
            "method": "stackC",
            "stage_ratio": 1,
            "inherit": "all",
            "optimizer_state": "carry",
            "learning_rate": Choice(0.015, 0.005),
            "batch_size": 8,
            "width": 4,
        }
        space = SearchSpace(**{**fixed, **(space or {})})
        return StackingHyperModel(model_class, split, epochs, space, **arguments)

    return make

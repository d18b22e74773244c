import keras
import pytest
from refusals import refused

from stackrec_keras import losses


@pytest.mark.parametrize(
    "name, expected",
    [
        ("auto", losses.FullSoftmax),
        ("full_softmax", losses.FullSoftmax),
        ("sampled_softmax", losses.SampledSoftmax),
        ("gbce", losses.GBCE),
        ("binary_cross_entropy", losses.BinaryCrossEntropy),
        ("SampledSoftmax", losses.SampledSoftmax),
        ("stackrec_keras>GBCE", losses.GBCE),
    ],
)
def test_a_name_gives_a_loss_of_that_class(name, expected):
    assert type(losses.get(name)) is expected


def test_a_loss_is_taken_as_it_is():
    loss = losses.GBCE(num_negatives=3)
    assert losses.get(loss) is loss


def test_a_class_gives_a_loss_with_its_defaults():
    assert type(losses.get(losses.GBCE)) is losses.GBCE


def test_a_serialized_loss_is_restored():
    config = keras.saving.serialize_keras_object(losses.FullSoftmax(chunk_size=5))
    assert losses.get(config).chunk_size == 5


@pytest.mark.parametrize(
    "stock, name",
    [
        ("sparse_categorical_crossentropy", "'sparse_categorical_crossentropy'"),
        (keras.losses.SparseCategoricalCrossentropy(), "SparseCategoricalCrossentropy"),
        (keras.losses.MeanSquaredError, "MeanSquaredError"),
        (keras.losses.binary_crossentropy, "binary_crossentropy"),
        (None, "None"),
        (3, "3"),
    ],
)
def test_a_loss_that_is_not_over_a_catalogue_is_refused_by_name(stock, name):
    with refused("loss", received=stock, says=f"{name}.* 'sampled_softmax'"):
        losses.get(stock)


def test_a_misspelt_name_is_asked_after():
    with refused("loss", says="Did you mean 'sampled_softmax'?"):
        losses.get("sampled_sofmax")


def test_every_loss_of_the_list_is_public_and_known_by_both_its_names():
    for name, kind in losses.LOSSES.items():
        assert getattr(losses, kind.__name__) is kind
        assert type(losses.get(name)) is type(losses.get(kind.__name__)) is kind

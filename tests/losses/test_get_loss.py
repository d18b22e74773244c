import keras
import pytest

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
        (None, "NoneType"),
        (3, "int"),
    ],
)
def test_what_would_be_fed_hidden_states_is_refused_by_name(stock, name):
    with pytest.raises(ValueError, match="hidden states") as error:
        losses.get(stock)
    assert f"loss={name} " in str(error.value)
    assert "SampledSoftmax()" in str(error.value)

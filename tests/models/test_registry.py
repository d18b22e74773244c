import pytest

from stackrec_keras.models import (
    ConvolutionalRecommender,
    SequentialRecommender,
    registry,
)


@pytest.mark.parametrize("name", registry.ARCHITECTURES)
def test_an_architecture_is_what_the_registry_says(name):
    kind = registry.model_class(name)
    assert issubclass(kind, SequentialRecommender)
    assert kind.__name__.lower() == name
    convolutional = registry.ARCHITECTURES[name].convolutional
    assert issubclass(kind, ConvolutionalRecommender) == convolutional
    assert (name in registry.CONVOLUTIONAL) == convolutional
    assert (name in registry.TRANSFORMERS) == (not convolutional)

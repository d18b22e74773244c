import pytest

from stackrec_keras import models
from stackrec_keras.models import SequentialRecommender, registry


@pytest.mark.parametrize("name", registry.ARCHITECTURES)
def test_an_architecture_is_what_the_registry_says(name):
    kind = registry.model_class(name)
    assert issubclass(kind, SequentialRecommender)
    assert kind.__name__.lower() == name
    base = registry.ARCHITECTURES[name].base_name
    assert issubclass(kind, getattr(models, base))
    is_a = {
        registry.CONVOLUTIONAL: models.ConvolutionalRecommender,
        registry.ATTENTION: models.AttentionRecommender,
        registry.TRANSFORMERS: models.TransformerRecommender,
    }
    for names, family in is_a.items():
        assert (name in names) == issubclass(kind, family)

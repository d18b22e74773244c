import keras
import numpy as np
import pytest
from keras import ops
from refusals import refused

from stackrec_keras.layers import ItemEmbedding, OutputTable


@pytest.mark.parametrize("fusion", ["add", "replace"])
def test_a_file_of_any_model_holds_the_features(fusion, tmp_path):
    layer = ItemEmbedding(3, 4, [[1, 2], [3, 4]], fusion)
    model = keras.Sequential([keras.Input((5,), dtype="int32"), layer])
    ids = np.array([[0, 1, 2, 1, 2]])
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    outputs = [each.predict(ids, verbose=0) for each in (model, loaded)]
    np.testing.assert_array_equal(*outputs)


def test_features_must_fit_the_items():
    with refused("item_features", says="5 rows, but there are 2 items"):
        ItemEmbedding(3, 4, np.ones((5, 2)))
    assert ItemEmbedding(3, 4, np.int64(2)).num_features == 2


def test_in_half_precision_only_the_rows_of_a_batch_are_cast():
    layer = ItemEmbedding(3, 4, [[1, 2], [3, 4]], dtype="mixed_bfloat16")
    layer.build()
    read = []
    ids = np.array([1])
    layer.call = lambda inputs: read.append(ops.convert_to_tensor(layer.item_features))
    layer(ids)
    assert keras.backend.standardize_dtype(read[0].dtype) == "float32"
    del layer.call
    assert keras.backend.standardize_dtype(layer(ids).dtype) == "bfloat16"


def test_the_output_embedding_checks_the_fusion():
    with refused("feature_fusion", "concat"):
        OutputTable(3, 4, num_features=2, feature_fusion="concat")

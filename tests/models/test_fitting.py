import keras
import pytest

from stackrec_keras.data import Vocabulary, make_windows, read_interactions

LOG = read_interactions({"user": [1, 1, 2, 2], "item": [1, 2, 1, 2]}, timestamp=None)
WINDOWS = make_windows(LOG, Vocabulary([1, 2]), length=2)


@pytest.mark.parametrize(
    "given, way_out",
    [
        (WINDOWS, r"x is Windows\(2 rows .* windows.batches\(256\)"),
        (LOG, r"x is a log.*make_windows\(log, vocabulary, length=20\).batches"),
        ([["a", "b"], ["b", "a"]], r"x is a list.*an array \(batch, time\)"),
    ],
)
def test_what_is_no_array_is_refused_with_a_way_out(make_model, given, way_out):
    model = make_model(num_blocks=1)
    for method in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match=way_out):
            method(given, verbose=0)


def test_windows_are_no_validation_data_as_they_are(make_model, sequences):
    with pytest.raises(ValueError, match="validation_data is Windows"):
        make_model(num_blocks=1).fit(*sequences, validation_data=WINDOWS, verbose=0)


@pytest.mark.parametrize("mode, best", [("auto", "max"), ("min", "min")])
def test_more_of_a_metric_is_better_unless_a_callback_says_otherwise(
    make_model, sequences, mode, best
):
    x, y = (part[:4] for part in sequences)
    kinds = (keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau)
    callbacks = [kind("val_mrr@5", mode=mode) for kind in kinds]
    loss = keras.callbacks.EarlyStopping("val_loss")
    make_model(num_blocks=1).fit(
        x, y, validation_data=(x, y), callbacks=[*callbacks, loss], verbose=0
    )
    assert [callback.mode for callback in callbacks] == [best, best]
    assert loss.mode == "auto"

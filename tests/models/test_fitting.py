import keras
import pytest


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

"""What `StackingCallback` refuses before training, and what it warns of."""

import keras
import numpy as np
import pytest
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr
from stackrec_keras.errors import StackRecWarning

plateau = sr.StackingSchedule.plateau


@pytest.mark.parametrize(
    "arguments, epochs, argument, reason",
    [
        ({"schedule": {9: 4}}, 3, "schedule", "no growth step left"),
        ({"schedule": {1: 1}}, 3, "schedule", "a model only grows deeper"),
        ({"schedule": {1: 5}, "top_blocks": 2}, 3, "top_blocks", "gives 4"),
        ({"schedule": None}, 2, "epochs", "too few"),
        ({"schedule": plateau("val_mrr@7")}, 3, "monitor", "loss,.* val_mrr@5"),
        ({"schedule": plateau("mrr@5")}, 3, "monitor", "loss, val_loss"),
        ({"schedule": plateau(max_blocks=3)}, 3, "max_blocks", "built with 2 blocks"),
    ],
)
def test_what_does_not_fit_is_refused_before_any_training(
    make_model, sequences, validation, arguments, epochs, argument, reason
):
    model = make_model()
    before = model.get_weights()
    with refused(argument, says=reason):
        model.fit(
            *sequences,
            epochs=epochs,
            verbose=0,
            validation_data=validation,
            callbacks=[sr.StackingCallback("stackC", **arguments)],
        )
    assert int(model.optimizer.iterations) == 0 and model.num_blocks == 2
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_an_optimizer_that_cannot_grow_is_refused_before_any_training(
    make_model, sequences
):
    model = make_model(optimizer=keras.optimizers.Lamb())
    with refused("optimizer", says="Lamb"):
        model.fit(
            *sequences, epochs=3, verbose=0, callbacks=[sr.StackingCallback("stackC")]
        )
    assert int(model.optimizer.iterations) == 0


@pytest.mark.parametrize(
    "argument, value",
    [
        ("method", "stackB"),
        ("schedule", "often"),
        ("inherit", "half"),
        ("top_blocks", -4),
        ("top_blocks", 2.0),
        ("cycle", 0),
        ("seed", "x"),
    ],
)
def test_wrong_arguments_are_refused_at_once(argument, value):
    with refused(argument, received=value):
        sr.StackingCallback(**{"method": "stackC", argument: value})


def test_a_monitored_metric_needs_validation_data(make_model, sequences):
    with refused("monitor", received="val_mrr@5", says="needs validation_data"):
        make_model().fit(
            *sequences, verbose=0, callbacks=[sr.StackingCallback("stackC", "plateau")]
        )


def test_a_model_of_another_kind_is_refused(sequences):
    layers = keras.layers
    model = keras.Sequential(
        [layers.Embedding(NUM_ITEMS + 1, 3), layers.Flatten(), layers.Dense(10)]
    )
    model.compile("adam", "mse")
    with refused("callbacks", says="cannot grow a model of type Sequential"):
        model.fit(*sequences, verbose=0, callbacks=[sr.StackingCallback("stackC")])


def test_depths_are_checked_from_the_one_the_model_has_now(make_model, sequences):
    model = make_model()
    model.grow("stackC", num_blocks=3)
    callback = sr.StackingCallback("stackC", {1: 4}, top_blocks=2)
    with refused("top_blocks", received=2, says="gives 5"):
        model.fit(*sequences, epochs=2, verbose=0, callbacks=[callback])
    assert int(model.optimizer.iterations) == 0


@pytest.mark.parametrize("kind", [list, keras.callbacks.CallbackList])
def test_two_of_them_in_one_fit_are_refused(make_model, sequences, kind):
    model = make_model()
    callbacks = kind([sr.StackingCallback("stackC", {i: 2 + i}) for i in (1, 2)])
    with pytest.raises(ValueError, match="2 StackingCallbacks.*one schedule"):
        model.fit(*sequences, epochs=3, verbose=0, callbacks=callbacks)
    assert int(model.optimizer.iterations) == 0


def test_a_second_fit_does_not_double_again(make_model, sequences):
    model = make_model()
    callback = sr.StackingCallback("stackC")
    model.fit(*sequences, epochs=3, verbose=0, callbacks=[callback])
    with pytest.warns(StackRecWarning, match=r"built with 2 .* has 8.*\{1: 16\}") as (
        warned
    ):
        model.fit(*sequences, epochs=3, verbose=0, callbacks=[callback])
    assert model.num_blocks == 8
    ours = [w for w in warned if w.category is StackRecWarning]  # not a library's
    assert ours[0].filename == __file__


def test_a_step_that_the_model_has_already_taken_is_warned_of(make_model, sequences):
    model = make_model()
    model.grow("stackC")
    with pytest.warns(StackRecWarning, match=r"has 4: the growth steps \{1: 4\} of"):
        model.fit(
            *sequences, epochs=3, verbose=0, callbacks=[sr.StackingCallback("stackC")]
        )
    assert model.num_blocks == 8


def test_a_step_that_the_fit_ends_before_is_warned_of(make_model, sequences, recwarn):
    partial = sr.StackingSchedule({0: 3, 4: 6}, partial=True)
    for schedule in (partial, {0: 3, 4: 6}):
        assert not [w for w in recwarn if "last epoch" in str(w.message)]
        callback = sr.StackingCallback("stackR", schedule)
        make_model().fit(*sequences, epochs=1, verbose=0, callbacks=[callback])
    (warning,) = [w for w in recwarn if "last epoch" in str(w.message)]
    assert "before the growth steps {4: 6} of schedule={0: 3, 4: 6}" in str(
        warning.message
    )
    assert warning.category is StackRecWarning and warning.filename == __file__

import keras
import numpy as np
import pytest
from keras import optimizers
from refusals import refused

from stackrec_keras.stacking.in_place import optimizer_chain, slot_lists

ELEMENTWISE = {
    "adam": lambda: optimizers.Adam(1e-2),
    "amsgrad": lambda: optimizers.Adam(1e-2, amsgrad=True),
    "adamw": lambda: optimizers.AdamW(1e-2, weight_decay=0.01),
    "sgd": lambda: optimizers.SGD(1e-2),
    "momentum": lambda: optimizers.SGD(1e-2, momentum=0.9, nesterov=True),
    "rmsprop": lambda: optimizers.RMSprop(1e-2, momentum=0.9, centered=True),
    "schedule_free": lambda: optimizers.ScheduleFreeAdamW(1e-2),
    "lion": lambda: optimizers.Lion(1e-3),
    "nadam": lambda: optimizers.Nadam(1e-2),
    "adamax": lambda: optimizers.Adamax(1e-2),
    "adagrad": lambda: optimizers.Adagrad(1e-2),
    "adadelta": lambda: optimizers.Adadelta(1.0),
    "ftrl": lambda: optimizers.Ftrl(1e-2),
    "schedule": lambda: optimizers.Adam(
        optimizers.schedules.ExponentialDecay(1e-2, 10, 0.9)
    ),
    "ema": lambda: optimizers.Adam(1e-2, use_ema=True, ema_overwrite_frequency=3),
    "accumulation": lambda: optimizers.Adam(1e-2, gradient_accumulation_steps=2),
    "clipvalue": lambda: optimizers.Adam(1e-2, clipvalue=1.0),
    "global_clipnorm": lambda: optimizers.Adam(1e-2, global_clipnorm=1.0),
    "loss_scale": lambda: optimizers.LossScaleOptimizer(optimizers.Adam(1e-2)),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_every_elementwise_optimizer_follows_the_model(make_model, sequences, name):
    model = make_model(optimizer=ELEMENTWISE[name](), run_eagerly=True)
    model.train_on_batch(*sequences)
    old = _slots_of(model, "kernel1")
    model.grow("stackC", num_blocks=4, optimizer_state="carry")
    grown = _slots_of(model, "kernel1")
    assert grown.keys() == old.keys()
    for slot in grown:
        np.testing.assert_array_equal(grown[slot], old[slot][[0, 1, 0, 1]], slot)
    before = keras.ops.convert_to_numpy(model.stack.kernel1)
    for _ in range(3):
        model.train_on_batch(*sequences)
    after = keras.ops.convert_to_numpy(model.stack.kernel1)
    # FTRL sets every weight to 0 in its first step, at any depth.
    assert name == "ftrl" or (after != before).any(axis=(1, 2, 3)).all()


@pytest.mark.every_backend
def test_new_blocks_start_with_no_momentum_and_the_mean_of_the_squares(
    make_model, sequences
):
    model = make_model()
    model.fit(*sequences, verbose=0)
    old = _slots_of(model, "kernel1")
    model.grow("stackR", num_blocks=4, seed=0, optimizer_state="carry")
    new = _slots_of(model, "kernel1")
    assert (new["_momentums"][2:] == 0).all()
    mean = np.broadcast_to(old["_velocities"].mean(0), (2, 3, 8, 8))
    np.testing.assert_allclose(new["_velocities"][2:], mean)
    assert mean.max() > 0


def test_the_first_step_of_a_new_block_is_no_longer_than_the_learning_rate(
    make_model, sequences
):
    # With both moments at 0 and the step count kept, Adam's bias correction would be
    # missing and the first steps would be three times as long.
    model = make_model(optimizer=optimizers.Adam(1e-2))
    model.fit(*sequences, epochs=20, verbose=0)
    model.grow("stackR", num_blocks=4, seed=0, optimizer_state="carry")
    model.stack.gate.assign(np.full(4, 0.5, "float32"))
    before = keras.ops.convert_to_numpy(model.stack.kernel1)[2:]
    model.train_on_batch(*sequences)
    step = keras.ops.convert_to_numpy(model.stack.kernel1)[2:] - before
    assert 0 < np.median(np.abs(step)) < 1e-2


def test_the_average_of_a_new_weight_starts_at_the_weight(make_model, sequences):
    model = make_model(optimizer=optimizers.Adam(1e-2, use_ema=True))
    model.fit(*sequences, verbose=0)
    model.grow("stackR", num_blocks=4, seed=0, optimizer_state="carry")
    average = _slots_of(model, "kernel1")["_model_variables_moving_average"]
    kernel = keras.ops.convert_to_numpy(model.stack.kernel1)
    np.testing.assert_array_equal(average[2:], kernel[2:])


def test_what_schedule_free_adamw_averages_starts_at_the_new_weight(
    make_model, sequences
):
    model = make_model(optimizer=optimizers.ScheduleFreeAdamW(1e-2), run_eagerly=True)
    model.train_on_batch(*sequences)
    model.grow("stackR", num_blocks=4, seed=0, optimizer_state="carry")
    for name in ("kernel1", "norm1_scale"):
        weight = keras.ops.convert_to_numpy(getattr(model.stack, name))
        average = _slots_of(model, name)["_momentums"]
        np.testing.assert_array_equal(average[2:], weight[2:])
    for _ in range(3):
        model.train_on_batch(*sequences)
    scale = keras.ops.convert_to_numpy(model.stack.norm1_scale)
    assert (scale[2:] > 0.9).all()


def test_reset_renews_the_optimizer_except_its_learning_rate(make_model, sequences):
    model = make_model(optimizer=optimizers.Adagrad(1e-2))
    model.fit(*sequences, verbose=0)
    model.optimizer.learning_rate = 0.005
    model.grow("stackC", num_blocks=4, optimizer_state="reset")
    assert int(model.optimizer.iterations) == 0
    assert float(model.optimizer.learning_rate) == pytest.approx(0.005)
    slot = _slots_of(model, "kernel1")["_accumulators"]
    assert slot.shape == (4, 3, 8, 8) and (slot == np.float32(0.1)).all()
    model.fit(*sequences, verbose=0)


def test_reset_leaves_every_slot_with_its_variable_when_a_layer_is_frozen(
    make_model, sequences
):
    model = make_model()
    model.item_embedding.trainable = False
    model.grow("stackC", num_blocks=4, optimizer_state="reset")
    for slots in slot_lists(model.optimizer).values():
        for variable, slot in zip(model.optimizer._trainable_variables, slots):
            assert slot.shape == variable.shape


@pytest.mark.every_backend
def test_carry_keeps_the_count_of_steps(make_model, sequences):
    model = make_model()
    model.fit(*sequences, batch_size=16, verbose=0)
    model.grow("stackC", num_blocks=4, optimizer_state="carry")
    assert int(model.optimizer.iterations) == 4


@pytest.mark.parametrize(
    "optimizer, argument, kind",
    [
        (lambda: optimizers.Adafactor(), "optimizer", "Adafactor"),
        (lambda: optimizers.Lamb(), "optimizer", "Lamb"),
        (lambda: optimizers.Muon(), "optimizer", "Muon"),
        (lambda: optimizers.Adam(clipnorm=1.0), "clipnorm", "Adam"),
        (lambda: optimizers.LossScaleOptimizer(optimizers.Lamb()), "optimizer", "Lamb"),
    ],
)
def test_optimizers_that_mix_blocks_are_refused(make_model, optimizer, argument, kind):
    model = make_model(optimizer=optimizer())
    with refused(argument, says=f"{kind}.*cannot follow"):
        model.grow("stackC")
    assert model.num_blocks == 2


def test_an_optimizer_whose_slots_have_another_shape_is_refused(make_model):
    class Factored(optimizers.SGD):
        def build(self, variables):
            super().build(variables)
            self.rows = [self.add_variable((3,), name="row") for _ in variables]

    model = make_model(optimizer=Factored())
    with refused("optimizer", says="Factored"):
        model.grow("stackC")


def _slots_of(model, name):
    optimizer = optimizer_chain(model)[-1]
    variable = getattr(model.stack, name)
    paths = [v.path for v in optimizer._trainable_variables]
    index = paths.index(variable.path)
    return {
        slot: keras.ops.convert_to_numpy(slots[index])
        for slot, slots in slot_lists(optimizer).items()
        if slots[index] is not None
    }

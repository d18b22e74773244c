import random

import keras
import numpy as np
import pytest
from refusals import refused

import stackrec_keras as sr
from stackrec_keras.stacking.in_place import optimized_variables, slot_lists


@pytest.mark.every_backend
@pytest.mark.parametrize("method", ["stackR", "stackC", "stackA"])
def test_growing_with_everything_carried_leaves_the_function_unchanged(
    make_model, sequences, method
):
    model = make_model(num_blocks=4)
    model.fit(*sequences, epochs=2, verbose=0)
    before = _scores(model, sequences)
    model.grow(method)
    assert model.num_blocks == 8
    np.testing.assert_allclose(_scores(model, sequences), before, atol=1e-5)


def test_split_blocks_add_about_what_their_source_added(make_model, sequences):
    model = make_model(num_blocks=2)
    model.stack.gate.assign([1e-4, -1e-4])
    without = _states(model, sequences, gate=[0, 0])
    added = _states(model, sequences) - without
    model.grow("split", num_blocks=6)
    np.testing.assert_allclose(
        _states(model, sequences) - without, added, atol=0.02 * np.abs(added).max()
    )


def test_the_average_of_a_gate_is_divided_like_the_gate(make_model, sequences):
    optimizer = keras.optimizers.Adam(1e-2, use_ema=True)
    model = make_model(num_blocks=2, optimizer=optimizer)
    model.fit(*sequences, verbose=0)
    average = _average(model, "gate")
    model.grow("split")
    np.testing.assert_allclose(_average(model, "gate"), np.tile(average / 2, 2))


def test_blocks_are_copied_from_their_sources(make_model):
    model = make_model(num_blocks=3)
    old = _kernels(model)
    model.grow("stackA", cycle=1)
    np.testing.assert_array_equal(_kernels(model), old[[0, 0, 1, 1, 2, 2]])


def test_adjacent_keeps_kernels_at_their_dilation_unless_as_in_the_paper(make_model):
    for inherit, sources in (("all", [0, 1, 0, 1]), ("paper", [0, 0, 1, 1])):
        model = make_model(num_blocks=2)
        old = _kernels(model)
        model.grow("stackA", inherit=inherit)
        np.testing.assert_array_equal(_kernels(model), old[sources])


def test_without_a_number_the_depth_doubles_or_grows_by_the_top_blocks(make_model):
    model = make_model(num_blocks=4)
    model.grow("stackC", top_blocks=2)
    assert model.num_blocks == 6
    model.grow("stackC")
    assert model.num_blocks == 12


def test_a_model_that_was_never_compiled_grows(make_model, sequences):
    model = make_model(num_blocks=2, compiled=False)
    model.build((None, 10))
    model.grow("stackC", num_blocks=5)
    assert model(sequences[0]).shape == (64, 10, 8)
    assert model.get_config()["num_blocks"] == 5
    assert model.initial_blocks == 2


def test_random_blocks_depend_only_on_seed_and_depths(make_model):
    def grown(seed, old=2, new=4):
        keras.utils.set_random_seed(random.randrange(1000))
        model = make_model(num_blocks=old)
        model.grow("stackR", num_blocks=new, seed=seed)
        return _kernels(model)[old:]

    first = grown(seed=7)
    np.testing.assert_array_equal(grown(seed=7), first)
    assert (grown(seed=8) != first).any()
    assert (grown(seed=7, old=3)[-1] != first[-1]).any()
    assert (grown(seed=7, new=3)[0] != first[0]).any()
    assert (first[0] != first[1]).any()


def test_growing_with_a_seed_leaves_pythons_random_state_unchanged(make_model):
    model = make_model()
    state = random.getstate()
    model.grow("stackR", seed=3)
    assert random.getstate() == state


def test_without_a_seed_two_models_draw_different_blocks(make_model):
    models = [make_model(), make_model()]
    for model in models:
        model.grow("stackR")
    assert (_kernels(models[0])[2:] != _kernels(models[1])[2:]).any()


def test_what_other_weights_each_method_keeps(make_model):
    kept = {
        ("stackC", "all"): {"item_embedding", "output_table"},
        ("stackC", "paper"): {"item_embedding"},
        ("stackE", "all"): {"item_embedding", "output_table"},
        ("stackE", "paper"): {"item_embedding"},
        ("from_scratch", "all"): set(),
        ("from_scratch", "paper"): set(),
    }
    for (method, inherit), expected in kept.items():
        model = make_model()
        layers = (model.item_embedding, model.output_table)
        before = {layer.name: layer.get_weights()[0] for layer in layers}
        model.grow(method, inherit=inherit)
        same = {
            layer.name
            for layer in layers
            if (layer.get_weights()[0] == before[layer.name]).all()
        }
        assert same == expected, (method, inherit)


def test_only_the_gates_may_start_again(make_model):
    model = make_model(num_blocks=2)
    old = {v.path: keras.ops.convert_to_numpy(v) for v in model.weights}
    model.grow("stackC", inherit="all_but_gates")
    for variable in model.weights:
        value, before = keras.ops.convert_to_numpy(variable), old[variable.path]
        if variable is model.stack.gate:
            np.testing.assert_array_equal(value, np.zeros(4))
        else:
            times = value.shape[0] // before.shape[0]
            np.testing.assert_array_equal(value, np.concatenate([before] * times))


@pytest.mark.parametrize("method", ["split", "copyZero"])
def test_methods_that_set_gates_keep_them_whatever_is_to_be_inherited(
    make_model, method
):
    models = [make_model(num_blocks=2), make_model(num_blocks=2)]
    models[0].grow(method)
    models[1].grow(method, inherit="all_but_gates")
    np.testing.assert_array_equal(models[0].stack.gate, models[1].stack.gate)


def test_gates_that_do_not_exist_cannot_start_again(make_model):
    model = make_model(rezero=False)
    with refused("inherit", received="all_but_gates", says="rezero=True"):
        model.grow("stackC", inherit="all_but_gates")
    assert model.num_blocks == 2


@pytest.mark.every_backend
def test_a_grown_model_trains_exactly_as_one_built_at_that_depth(make_model, sequences):
    grown = make_model(num_blocks=2)
    grown.fit(*sequences, epochs=1, verbose=0)
    grown.grow("stackC")
    built = make_model(num_blocks=4)
    built.set_weights(grown.get_weights())
    for ours, theirs in zip(built.optimizer.variables, grown.optimizer.variables):
        ours.assign(keras.ops.convert_to_numpy(theirs))
    for model in (grown, built):
        model.fit(*sequences, epochs=2, shuffle=False, verbose=0)
    for ours, theirs in zip(built.weights, grown.weights):
        np.testing.assert_allclose(ours, theirs, atol=1e-6, err_msg=ours.path)


def test_a_model_without_gates_grows(make_model, sequences):
    model = make_model(rezero=False)
    model.fit(*sequences, verbose=0)
    model.grow("stackC")
    model.fit(*sequences, verbose=0)
    assert model.num_blocks == 4


@pytest.mark.every_backend
def test_mixed_precision_grows_and_trains(make_model, sequences):
    model = make_model(dtype="mixed_bfloat16")
    history = model.fit(*sequences, epochs=2, verbose=0)
    before = _kernels(model)
    model.grow("stackC")
    np.testing.assert_array_equal(_kernels(model)[2:], before)
    later = model.fit(*sequences, epochs=2, verbose=0)
    assert later.history["loss"][-1] < history.history["loss"][0]


@pytest.mark.parametrize(
    "argument, value",
    [
        ("method", "stackX"),
        ("num_blocks", 3),
        ("num_blocks", 0),
        ("num_blocks", 8.0),
        ("num_blocks", "8"),
        ("num_blocks", True),
        ("inherit", "some"),
        ("optimizer_state", "x"),
        ("top_blocks", 9),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(make_model, argument, value):
    model = make_model(num_blocks=4)
    before = model.get_weights()
    with refused(argument, received=value):
        model.grow(**{"method": "stackC", argument: value})
    assert model.num_blocks == 4
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_a_model_without_a_stack_says_so():
    model = keras.Sequential([keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="no BlockStack"):
        sr.stacking.grow(model, sr.stacking.Growth("stackC"))


def _scores(model, sequences):
    return keras.ops.convert_to_numpy(model.score(sequences[0]))[:, 1:]


def _kernels(model):
    return keras.ops.convert_to_numpy(model.stack.kernel1)


def _states(model, sequences, gate=None):
    if gate is not None:
        kept = keras.ops.convert_to_numpy(model.stack.gate)
        model.stack.gate.assign(gate)
    states = keras.ops.convert_to_numpy(model(sequences[0]))
    if gate is not None:
        model.stack.gate.assign(kept)
    return states


def _average(model, name):
    optimizer = model.optimizer
    index = [v.path for v in optimized_variables(optimizer)].index(
        getattr(model.stack, name).path
    )
    slots = slot_lists(optimizer)["_model_variables_moving_average"]
    return keras.ops.convert_to_numpy(slots[index])

"""HSTU: what it adds to the contract of all models."""

import numpy as np
import pytest
from keras import ops
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr


def build(**arguments):
    arguments = {"max_length": 6, "embedding_dim": 8, "num_heads": 2, **arguments}
    return sr.HSTU(NUM_ITEMS, **arguments)


@pytest.fixture
def x():
    times = 1_600_000_000 + np.array([[0, 5, 70, 900, 9000, 80000, 90000]])
    return {
        "items": np.array([[0, 0, 3, 1, 4, 2]]),
        "timestamps": times[:, :-1],
        "next_timestamps": times[:, 1:],
    }


def test_states_are_those_of_its_stack(x):
    model = build()
    items = ops.convert_to_tensor(x["items"])
    embedded = model.item_embedding(items) * np.sqrt(8)
    embedded = embedded + model.position_embedding(ops.arange(6))
    context = {"is_item": items != 0, **{n: ops.convert_to_tensor(x[n]) for n in x}}
    expected = numpy(model.stack(embedded, context=context))
    np.testing.assert_allclose(numpy(model(x)), expected, atol=1e-6)
    assert (expected[:, :2] == 0).all() and (expected[:, 2:] != 0).all()


def test_tables_start_as_those_of_its_authors():
    model = sr.HSTU(1000, 200, 100)
    assert numpy(model.item_embedding.embeddings).std() == pytest.approx(0.02, rel=0.1)
    positions = numpy(model.position_embedding.embeddings)
    assert positions.std() == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize("name", ["timestamps", "next_timestamps"])
def test_it_reads_both_times(x, name):
    model = build()
    model.stack.time_table.assign(np.tile(np.linspace(-3, 3, 129), (2, 1)))
    before = numpy(model(x))[:, -1]
    later = {**x, name: x[name] + np.array([0, 0, 0, 0, 0, 500_000])}
    assert np.abs(numpy(model(later))[:, -1] - before).max() > 1e-4


@pytest.mark.every_backend
def test_times_after_2038_are_as_far_apart_as_earlier_ones(x):
    model = build()
    model.stack.time_table.assign(np.tile(np.linspace(-3, 3, 129), (2, 1)))
    expected = model.predict(x, verbose=0)
    # The row then passes 2**31 seconds, in 2038, or lies beyond it.
    for shift in (2**31 - 1_600_000_500, 2**33):
        later = {name: x[name] + shift for name in model.whole_features}
        scores = model.predict({**x, **later}, verbose=0)
        np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_times_that_are_not_integers_are_refused_by_the_name_of_the_input(x):
    model, floats = build(), {**x, "timestamps": x["timestamps"] / 1}
    says = "must hold integers, but is float64"
    for run in (model.predict, model.predict_on_batch):
        with refused("x['timestamps']", says=says):
            run(floats)
    with refused("inputs['timestamps']", says=says):
        model(floats)


def test_times_in_milliseconds_are_refused(x):
    model, name = build(), "next_timestamps"
    with refused(f"x[{name!r}]", says="holds 1600000005000, .* Divide"):
        model.predict({**x, name: x[name] * 1000}, verbose=0)


def test_without_the_time_bias_it_reads_only_items(x):
    model = build(time_bias=False)
    assert model.features == ("items",)
    assert model(x["items"]).shape == (1, 6, 8)
    with refused("x", says="has 'timestamps', 'next_timestamps', but"):
        model.predict(x, verbose=0)
    with refused("x", says="lacks 'timestamps', 'next_timestamps'"):
        build().predict(x["items"], verbose=0)


def test_without_positions_padding_changes_nothing(x):
    model = build(position_embedding=False)
    assert not [w for w in model.weights if w.path.startswith("positions")]
    whole = numpy(model(x))
    short = numpy(model({name: values[:, 2:] for name, values in x.items()}))
    np.testing.assert_allclose(short, whole[:, 2:], atol=1e-6)


def test_heads_may_have_other_widths_than_the_states_divided():
    model = build(qk_dim=3, v_dim=5, chunk_size=4)
    assert model.stack.input_kernel.shape == (2, 8, 2 * (3 + 3 + 5 + 5))
    assert type(model).from_config(model.get_config()).stack.chunk_size == 4
    with refused("num_heads", says="must divide dim=8"):
        build(num_heads=3)


def test_a_flag_that_is_not_one_is_refused():
    with refused("position_embedding"):
        build(position_embedding="yes")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)

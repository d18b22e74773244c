from dataclasses import fields

import keras_tuner
import pytest
from refusals import refused

from stackrec_keras.tuning import Choice, Range, SearchSpace


def drawn(space, **values):
    """Returns the space of a trial with these hyper-parameters, and all of them."""
    hp = keras_tuner.HyperParameters()
    space.draw(hp)
    hp.values.update(values)
    hp.ensure_active_values()
    return space.draw(hp), hp


def test_all_of_the_schedule_and_of_training_is_searched_by_default():
    _, hp = drawn(SearchSpace(), growths=1)
    names = {f.name for f in fields(SearchSpace)}
    assert {p.name for p in hp.space} == names - {"training_loss", "first_data_share"}


def test_a_fixed_value_is_not_a_hyper_parameter():
    fixed = {
        f.name: getattr(drawn(SearchSpace())[0], f.name) for f in fields(SearchSpace)
    }
    space, hp = drawn(SearchSpace(**fixed))
    assert not hp.space
    assert space == SearchSpace(**fixed)


def test_a_trial_without_growth_has_no_hyper_parameters_of_growths():
    of_growths = {"method", "stage_ratio", "inherit", "optimizer_state"}
    space = SearchSpace(first_data_share=Choice(0.5, 1.0))
    of_growths.add("first_data_share")
    _, hp = drawn(space, growths=0)
    assert not of_growths & set(hp.values)
    _, hp = drawn(space, growths=2)
    assert of_growths <= set(hp.values)
    _, hp = drawn(SearchSpace(growths=0))
    assert not of_growths & {p.name for p in hp.space}


def test_inherit_is_searched_only_for_methods_to_which_it_makes_a_difference():
    space = SearchSpace(growths=1, method=Choice("copyZero", "stackC"))
    _, hp = drawn(space)
    assert "inherit" not in hp.values
    _, hp = drawn(space, method="stackC")
    assert "inherit" in hp.values
    _, hp = drawn(SearchSpace(growths=1, method="copyZero"))
    assert "inherit" not in {p.name for p in hp.space}


@pytest.mark.parametrize(
    "growths, ratio, table",
    [(2, 2, {1: 4, 3: 8}), (2, 1, {3: 4, 5: 8}), (1, 0.5, {5: 4}), (1, 6, {1: 4})],
)
def test_the_stages_of_a_trial_are_fractions_of_the_epochs(growths, ratio, table):
    space = SearchSpace(start_blocks=2, growths=growths, stage_ratio=ratio)
    assert drawn(space)[0].schedule(7).depths == table
    assert drawn(space)[0].schedule(7).data_shares is None


def test_the_fraction_of_the_data_rises_from_stage_to_stage():
    space = SearchSpace(growths=2, stage_ratio=1, first_data_share=Choice(0.5, 1.0))
    assert drawn(space)[0].schedule(7).data_shares == {0: 0.5, 3: 0.75, 5: 1.0}
    _, hp = drawn(space, first_data_share=1.0)
    assert space.draw(hp).schedule(7).data_shares is None


def test_without_growths_there_is_no_schedule():
    assert drawn(SearchSpace(growths=0))[0].schedule(7) is None


def test_more_stages_than_epochs_are_refused():
    SearchSpace(growths=Choice(0, 2)).check_epochs(3)
    with refused("epochs", received=3, says="4 stages that growths=3 makes"):
        SearchSpace(growths=Range(0, 3)).check_epochs(3)


@pytest.mark.parametrize(
    "name, value, received",
    [
        ("start_blocks", 0, 0),
        ("batch_size", 1.5, 1.5),
        ("width", "64", "64"),
        ("growths", Choice(0, -1), -1),
        ("growths", Range(0.0, 2.0), 0.0),
        ("stage_ratio", 0, 0),
        ("learning_rate", Range(0.0, 0.1), 0.0),
        ("first_data_share", Choice(0, 1.0), 0),
        ("first_data_share", 1.5, 1.5),
        ("dropout", Choice(0.1, 1.0), 1.0),
    ],
)
def test_a_value_out_of_range_is_refused(name, value, received):
    with refused(name, received=received):
        SearchSpace(**{name: value})


def test_an_unknown_loss_is_refused():
    with refused("training_loss", received="mse"):
        SearchSpace(training_loss="mse")


@pytest.mark.parametrize(
    "arguments, says",
    [
        ({"method": Choice("stackC", "stackX")}, "stackX"),
        ({"inherit": "some"}, "inherit"),
        ({"optimizer_state": None}, "optimizer_state"),
    ],
)
def test_a_growth_step_that_stacking_refuses_is_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        SearchSpace(**arguments)

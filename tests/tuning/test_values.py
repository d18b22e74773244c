import keras_tuner
import pytest
from refusals import refused

from stackrec_keras.tuning import Choice, Range
from stackrec_keras.tuning.values import draw


def drawn(value, given=None):
    """What is drawn for the hyper-parameter x, once it is declared, if it is `given`
    that value."""
    hp = keras_tuner.HyperParameters()
    default = draw(hp, "x", value)
    if given is None:
        return default
    hp.values["x"] = given
    return draw(hp, "x", value)


def test_a_choice_may_be_of_any_type():
    dilations = Choice((1,), (1, 4))
    assert drawn(dilations) == (1,)
    assert drawn(dilations, "(1, 4)") == (1, 4)
    assert drawn(Choice(None, 2), "2") == 2
    assert drawn(Choice(True, False), False) is False


def test_a_choice_that_came_in_single_precision_has_its_exact_value():
    assert drawn(Choice(0.1, 0.2), 0.20000000298) == 0.2


def test_a_range_of_integers_gives_integers_and_one_with_a_float_gives_floats():
    assert drawn(Range(1, 4)) == 1
    hp = keras_tuner.HyperParameters()
    for name, value in (("n", Range(2, 8, step=2)), ("x", Range(0.1, 1, log=True))):
        draw(hp, name, value)
    n, x = hp.space
    assert (n.min_value, n.max_value, n.step) == (2, 8, 2)
    assert (x.min_value, x.max_value, x.sampling) == (0.1, 1.0, "log")


def test_a_value_that_is_searched_only_under_a_condition_is_the_first_one_elsewhere():
    hp = keras_tuner.HyperParameters()
    draw(hp, "parent", Choice(0, 1))
    conditions = [("parent", [1])]
    assert draw(hp, "x", Choice("a", "b"), conditions) == "a"
    assert "x" not in hp.values
    hp.values.update(parent=1, x="b")
    assert draw(hp, "x", Choice("a", "b"), conditions) == "b"


@pytest.mark.parametrize(
    "arguments, name, says",
    [
        ((2, 2), "low", "must be below high=2"),
        (("1", 2), "low", "must be a number"),
        ((1, True), "high", "must be a number"),
        ((0.0, 1.0, None, True), "low", "must be above 0 with log=True"),
        ((0, 4, 0), "step", "must be above 0"),
        ((1, 4, 1, True), "step", "must be above 1 with log=True"),
        ((1, 4, "1"), "step", "must be a number"),
        ((1, 4, 1, "yes"), "log", "must be True or False"),
    ],
)
def test_a_range_out_of_range_is_refused(arguments, name, says):
    with refused(name, says=says):
        Range(*arguments)


def test_a_choice_of_nothing_is_refused():
    with refused("values", received=()):
        Choice()

import pickle

import numpy as np
import pandas as pd
import pytest

import stackrec_keras as sr
from stackrec_keras.arguments import (
    check_bools,
    check_choice,
    check_fraction,
    check_integer,
    check_number,
    check_positive,
)
from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import did_you_mean


def test_a_message_has_the_value_the_reason_and_the_way_out():
    error = ArgumentError("k", "must be at least 1", "Leave it out for 10.", 0)
    assert str(error) == "k=0 must be at least 1. Leave it out for 10."


def test_an_error_may_show_no_value():
    assert str(ArgumentError("x", "has no rows")) == "x has no rows."


def test_none_is_a_value():
    assert str(ArgumentError("x", "is missing", received=None)) == "x=None is missing."


@pytest.mark.parametrize(
    "value, text",
    [
        (np.int64(3), "3"),
        ([np.int64(3)], "[3]"),
        (np.zeros((2, 3)), "<ndarray of float64, shape (2, 3)>"),
        (pd.DataFrame({"user": [1]}), "a frame with the columns ['user']"),
        ("a" * 200, "<str>"),
    ],
)
def test_large_values_are_described(value, text):
    assert str(ArgumentError("x", "is wrong", received=value)) == f"x={text} is wrong."


def test_an_error_comes_back_from_another_process_as_it_was():
    of_options = ArgumentError("k", "is", "Give k.", option_fix="Give --k.")
    for error in (
        ArgumentError("k", "must be 1", "Do.", 0),
        ArgumentError("k", "is"),
        of_options,
    ):
        back = pickle.loads(pickle.dumps(error))
        assert str(back) == str(error)
        assert back.has_received == error.has_received
        assert back.option_fix == error.option_fix


def test_users_catch_it_as_a_value_error():
    with pytest.raises(ValueError):
        sr.NextItNet(num_items=0)


@pytest.mark.parametrize(
    "check, reason",
    [
        (lambda: check_integer("n", True), "must be an integer"),
        (lambda: check_integer("n", 1.0, 2), "must be an integer of at least 2"),
        (lambda: check_integer("n", 1, 2, ": ends"), "integer of at least 2: ends"),
        (lambda: check_number("n", float("nan")), "must be a number"),
        (lambda: check_bools(n=1), "must be True or False"),
        (lambda: check_fraction(n=1.0), "must be a number from 0 to below 1"),
        (lambda: check_positive(n=0), "must be a number above 0"),
        (lambda: check_choice("n", "c", ["a", "b", "d"]), "must be 'a', 'b' or 'd'"),
        (lambda: check_choice("n", 1, [True]), "must be True"),
    ],
)
def test_each_check_has_one_form_of_message(check, reason):
    with pytest.raises(ArgumentError) as caught:
        check()
    assert caught.value.argument == "n"
    assert caught.value.reason.endswith(reason)


def test_a_misspelt_choice_is_asked_after():
    with pytest.raises(ArgumentError, match="Did you mean 'random'?"):
        check_choice("init", "Randm", ["mean", "random"])


def test_a_string_of_numpy_is_a_choice():
    check_choice("init", np.str_("mean"), ["mean", "random"])


def test_several_names_are_asked_after_at_once():
    assert did_you_mean(["dropot", "norn"], ["norm", "dropout"]) == (
        "Did you mean 'dropout', 'norm'?"
    )
    assert did_you_mean("zzz", ["norm"]) == ""


def test_a_number_is_no_misspelling():
    assert did_you_mean("99999", ["999", "9999"]) == ""
    assert did_you_mean("-10", ["-1"]) == ""
    assert did_you_mean("film 10", ["film 1"]) == "Did you mean 'film 1'?"

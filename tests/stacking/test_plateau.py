import math

import numpy as np
import pytest

from stackrec_keras.stacking import StackingSchedule
from stackrec_keras.stacking.plateau import PlateauRecord


def run(values, depth=2, **arguments):
    """Depths during each epoch of a run in which the metric takes these values."""
    schedule = StackingSchedule.plateau(**{"patience": 2, **arguments})
    record, depths = schedule.start(0, depth), []
    for value in values:
        depth = max(depth, record.due)
        depths.append(depth)
        schedule.observe(record, value, depth)
    return depths


def test_it_grows_after_patience_epochs_without_improvement():
    assert run([0.1, 0.2, 0.2, 0.1, 0.3]) == [2, 2, 2, 2, 4]


def test_it_does_not_grow_while_the_metric_improves():
    assert run([0.1, 0.2, 0.3, 0.4, 0.5]) == [2] * 5


def test_a_growth_gets_its_own_patience():
    assert run([0.2, 0.1, 0.1, 0.1, 0.15, 0.2, 0.25, 0.2]) == [2, 2, 2] + [4] * 5


def test_it_stops_growing_after_a_growth_that_brought_too_little():
    values = [0.2, 0.1, 0.1, 0.21, 0.1, 0.1, 0.1, 0.1]
    assert run(values, min_gain=0.05) == [2, 2, 2] + [4] * 5
    assert run(values, min_gain=0.005) == [2, 2, 2, 4, 4, 4, 8, 8]


def test_by_default_a_growth_that_made_it_worse_is_the_last():
    assert run([0.2] + [0.1] * 7) == [2, 2, 2] + [4] * 5


def test_it_does_not_grow_beyond_max_blocks():
    assert run([0.1] * 9, max_blocks=7) == [2, 2, 2] + [4] * 6


def test_a_loss_is_better_when_lower():
    assert run([3, 2, 1, 1, 1, 1], monitor="val_loss") == [2, 2, 2, 2, 2, 4]


def test_nan_is_no_improvement_and_no_reason_to_grow():
    assert run([0.1, math.nan, math.nan, 0.1]) == [2, 2, 2, 4]
    assert run([math.nan] * 6) == [2] * 6


def test_a_record_survives_being_saved():
    record = PlateauRecord(3, 8, False, 1, 0.5, 0.4, 0.3, [np.ones(2), np.zeros(3)])
    copy = PlateauRecord.from_arrays(record.to_arrays())
    assert {k: v for k, v in vars(copy).items() if k != "best_weights"} == {
        k: v for k, v in vars(record).items() if k != "best_weights"
    }
    assert type(copy.growing) is bool and type(copy.due) is int
    for old, new in zip(record.best_weights, copy.best_weights, strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"monitor": 8}, "monitor must be a key of the logs.*monitor=8"),
        ({"patience": 0}, "patience must be an integer of at least 1.*patience=0"),
        ({"patience": 1.5}, "patience must be an integer.*patience=1.5"),
        ({"max_blocks": 0}, "max_blocks must be an integer of at least 1"),
        ({"max_blocks": "64"}, "max_blocks must be an integer.*max_blocks='64'"),
        ({"min_gain": "a"}, "min_gain must be a number.*min_gain='a'"),
        ({"min_gain": math.nan}, "min_gain must be a number.*min_gain=nan"),
        ({"restore_best": "no"}, "restore_best must be True or False.*'no'"),
    ],
)
def test_arguments_that_are_none_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        StackingSchedule.plateau(**arguments)

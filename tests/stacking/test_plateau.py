import math
from types import SimpleNamespace

import numpy as np
import pytest
from refusals import refused

from stackrec_keras.stacking import Growth, StackingSchedule
from stackrec_keras.stacking.growth_record import GrowthRecord
from stackrec_keras.stacking.schedules.plateau import PlateauState


def start(depth, top_blocks=None, **arguments):
    """The model and the running schedule of a fit."""
    arguments = {"monitor": "val_mrr@5", "patience": 2, **arguments}
    schedule = StackingSchedule.plateau(restore_best=False, **arguments)
    model = SimpleNamespace(num_blocks=depth, initial_blocks=depth, growth_record=None)
    model.metrics = [SimpleNamespace(name=schedule.monitor.removeprefix("val_"))]
    return model, schedule.start(model, 9, Growth("stackC", top_blocks))


def run(values, depth=2, top_blocks=None, **arguments):
    """Depths during each epoch of a run in which the metric takes these values."""
    model, running = start(depth, top_blocks, **arguments)
    depths = []
    for epoch, value in enumerate(values):
        model.num_blocks = max(model.num_blocks, *running.due(epoch))
        depths.append(model.num_blocks)
        running.observe(epoch, {running.schedule.monitor: value})
    return depths


def test_it_grows_after_patience_epochs_without_improvement():
    assert run([0.1, 0.2, 0.2, 0.1, 0.3]) == [2, 2, 2, 2, 4]


def test_it_does_not_grow_while_the_metric_improves():
    assert run([0.1, 0.2, 0.3, 0.4, 0.5]) == [2] * 5


def test_each_stage_has_its_own_patience():
    assert run([0.2, 0.1, 0.1, 0.1, 0.15, 0.2, 0.25, 0.2]) == [2, 2, 2] + [4] * 5


def test_it_stops_growing_after_a_step_that_gained_too_little():
    values = [0.2, 0.1, 0.1, 0.21, 0.1, 0.1, 0.1, 0.1]
    assert run(values, min_gain=0.05) == [2, 2, 2] + [4] * 5
    assert run(values, min_gain=0.005) == [2, 2, 2, 4, 4, 4, 8, 8]


def test_by_default_a_step_that_made_it_worse_is_the_last():
    assert run([0.2] + [0.1] * 7) == [2, 2, 2] + [4] * 5


def test_it_does_not_grow_beyond_max_blocks():
    assert run([0.1] * 9, max_blocks=7) == [2, 2, 2] + [4] * 6


def test_a_loss_is_better_when_lower():
    assert run([3, 2, 1, 1, 1, 1], monitor="val_loss") == [2, 2, 2, 2, 2, 4]


def test_it_adds_the_top_blocks_where_only_these_are_stacked():
    assert run([0.1, 0.1, 0.1, 0.1], depth=4, top_blocks=1) == [4, 4, 4, 5]


def test_nan_is_neither_an_improvement_nor_a_reason_to_grow():
    assert run([0.1, math.nan, math.nan, 0.1]) == [2, 2, 2, 4]
    assert run([math.nan] * 6) == [2] * 6


def test_only_the_state_of_the_same_fit_is_taken_up():
    model, running = start(depth=2)
    left = GrowthRecord(PlateauState(epoch=3, due=8).to_arrays())
    model.growth_record = left
    assert running.due(4) == [8]
    model.growth_record = left
    assert running.due(0) == [2]


def test_a_state_survives_being_saved():
    state = PlateauState(3, 8, False, 1, 0.5, 0.4, 0.3, [np.ones(2), np.zeros(3)])
    copy = PlateauState.from_arrays(state.to_arrays())
    assert {k: v for k, v in vars(copy).items() if k != "best_weights"} == {
        k: v for k, v in vars(state).items() if k != "best_weights"
    }
    assert type(copy.growing) is bool and type(copy.due) is int
    for old, new in zip(state.best_weights, copy.best_weights, strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    "argument, value",
    [
        ("monitor", 8),
        ("patience", 0),
        ("patience", 1.5),
        ("max_blocks", 0),
        ("max_blocks", "64"),
        ("min_gain", "a"),
        ("min_gain", math.nan),
        ("restore_best", "no"),
    ],
)
def test_arguments_of_the_wrong_kind_are_refused(argument, value):
    with refused(argument) as caught:
        StackingSchedule.plateau(**{argument: value})
    assert caught.value.received is value

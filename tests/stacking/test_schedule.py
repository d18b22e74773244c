import pytest
from refusals import refused

from stackrec_keras.stacking import schedules
from stackrec_keras.stacking.schedules import DoublingSchedule, StackingSchedule


@pytest.mark.parametrize(
    "epochs, table",
    [
        (7, {1: 8, 3: 16}),
        (10, {2: 8, 5: 16}),
        (3, {1: 8, 2: 16}),
        (70, {10: 8, 30: 16}),
    ],
)
def test_without_a_schedule_the_depth_doubles_after_1_and_3_sevenths(epochs, table):
    assert DoublingSchedule().table(4, epochs) == table


def test_with_top_blocks_the_default_schedule_adds_them_twice():
    assert DoublingSchedule().table(18, 7, step=6) == {1: 24, 3: 30}


@pytest.mark.parametrize("epochs", [1, 2])
def test_too_few_epochs_for_three_stages_are_an_error(epochs):
    with refused("epochs", received=epochs):
        DoublingSchedule().table(4, epochs)


def test_shares_are_rounded_up_to_whole_epochs():
    schedule = StackingSchedule.shares([4, 8, 16], [1, 2, 4])
    assert schedule.table(4, epochs=10) == {2: 8, 5: 16}
    assert StackingSchedule.shares([2, 4], [1, 1]).table(2, epochs=5) == {3: 4}


def test_stages_too_short_for_an_epoch_get_one_each():
    schedule = StackingSchedule.shares([1, 2, 3, 4], [1, 1, 1, 97])
    assert schedule.table(1, epochs=10) == {1: 2, 2: 3, 3: 4}


def test_no_stage_starts_after_the_last_epoch():
    assert StackingSchedule.shares([4, 8], [9, 1]).table(4, epochs=5) == {4: 8}
    table = StackingSchedule.shares([4, 8, 16], [4, 1, 1]).table(4, epochs=3)
    assert table == {1: 8, 2: 16}


def test_shares_may_start_at_the_depth_that_the_model_has_now():
    schedule = StackingSchedule.shares([8, 16], [1, 1])
    assert schedule.table(4, epochs=4, num_blocks=8) == {2: 16}


def test_shares_that_start_at_another_depth_than_the_model_are_refused():
    with refused("schedule", says="starts with 4 blocks.*built with 8"):
        StackingSchedule.shares([4, 8], [1, 1]).table(8, epochs=10)


def test_steps_beyond_the_last_epoch_are_refused_unless_partial():
    with refused("schedule", received={10: 8}, says="partial=True"):
        StackingSchedule({10: 8}).table(4, epochs=10)
    with refused("schedule", says="no growth step left"):
        StackingSchedule({0: 4, 12: 8}).table(4, epochs=10)
    partial = StackingSchedule({10: 8}, partial=True)
    assert partial.table(4, epochs=10) == {10: 8}


def test_one_step_beyond_the_end_is_allowed_if_another_is_within():
    assert StackingSchedule({2: 8, 20: 16}).table(4, epochs=10) == {2: 8, 20: 16}


def test_a_schedule_shallower_than_the_model_is_refused():
    with refused("schedule", received={2: 4, 3: 16}, says="4 blocks.*built with 8"):
        StackingSchedule({2: 4, 3: 16}).table(8, epochs=10)
    with refused("schedule", says="starts with 1 block, .*at most 1 block, or"):
        StackingSchedule({2: 1, 3: 16}).table(8, epochs=10)


@pytest.mark.parametrize(
    "depths, reason",
    [
        ({-1: 4}, r"epochs \(integers from 0\)"),
        ({1.7: 8}, r"epochs \(integers from 0\)"),
        ({"2": 8}, r"epochs \(integers from 0\)"),
        ({1: 0}, r"blocks \(integers from 1\)"),
        ({1: 8.9}, r"blocks \(integers from 1\)"),
        ({1: 8, 2: 8}, "more blocks at each later stage"),
        ({1: 8, 2: 4}, "more blocks at each later stage"),
    ],
)
def test_tables_that_grow_nothing_are_refused(depths, reason):
    with refused("schedule", received=depths, says=reason):
        StackingSchedule(depths)


def test_an_empty_table_is_refused():
    for depths in ({}, [2, 4], None):
        with refused("schedule", received=depths, says="must be a dict from epoch"):
            StackingSchedule(depths)


@pytest.mark.parametrize(
    "num_blocks, shares, argument, reason",
    [
        ([4, 8], [1], "shares", "an entry for each of the 2"),
        ([4], [1], "num_blocks", "at least two stages"),
        ([4, 8], [1, 0], "shares", "positive"),
        ([4, 8], [1, "a"], "shares", "positive"),
        ([8, 4], [1, 1], "num_blocks", "more blocks at each later stage"),
        ([4.5, 8], [1, 1], "num_blocks", "integer"),
    ],
)
def test_shares_that_do_not_fit_are_refused(num_blocks, shares, argument, reason):
    with refused(argument, says=reason):
        StackingSchedule.shares(num_blocks, shares)


def test_a_share_of_the_data_holds_from_its_epoch_on():
    schedule = StackingSchedule({2: 8}, {0: 0.4, 2: 0.7, 5: 1.0})
    found = [schedule.data_share(epoch, epochs=7) for epoch in range(7)]
    assert found == [0.4, 0.4, 0.7, 0.7, 0.7, 1.0, 1.0]
    assert "data_shares={0: 0.4, 2: 0.7, 5: 1.0}" in repr(schedule)
    assert StackingSchedule({2: 8}).data_share(0, epochs=7) == 1.0


def test_each_stage_has_its_share_of_the_data():
    schedule = StackingSchedule.shares([4, 8, 16], [1, 2, 4], data_shares=[0.4, 0.7, 1])
    found = [schedule.data_share(epoch, epochs=10) for epoch in range(10)]
    assert found == [0.4] * 2 + [0.7] * 3 + [1.0] * 5
    assert repr(schedule).endswith("data_shares=[0.4, 0.7, 1.0])")


@pytest.mark.parametrize(
    "data_shares, reason",
    [
        ({2: 0.4}, "the fraction for epoch 0"),
        ({}, "the fraction for epoch 0"),
        ({0: 0.7, 2: 0.4}, "never shrink"),
        ({0: 0.4, 1.7: 0.7}, r"epochs \(integers from 0\)"),
        ({0: 0.0, 2: 1.0}, "above 0"),
        ({0: 0.5, 2: 1.5}, "at most 1"),
        ({0: float("nan")}, "above 0"),
        ({0: "half"}, "fractions"),
    ],
)
def test_data_shares_that_are_not_fractions_are_refused(data_shares, reason):
    with refused("data_shares", says=reason):
        StackingSchedule({2: 8}, data_shares=data_shares)


def test_a_stage_without_a_share_of_the_data_is_refused():
    with refused("data_shares", received=[1.0], says="each of the 2 stages"):
        StackingSchedule.shares([4, 8], [1, 1], data_shares=[1.0])


def test_a_schedule_goes_by_what_stands_for_it():
    table = StackingSchedule({2: 8})
    assert schedules.get(table) is table
    assert schedules.get({2: 8}).depths == {2: 8}
    assert schedules.get("plateau") == StackingSchedule.plateau()
    assert isinstance(schedules.get(None), DoublingSchedule)
    for wrong in ("often", 8, [2, 8]):
        with refused("schedule", received=wrong):
            schedules.get(wrong)


def test_a_schedule_that_follows_training_has_no_table():
    assert StackingSchedule.plateau().table(4, epochs=10) is None

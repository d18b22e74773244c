import pytest

from stackrec_keras.stacking.schedule import DoublingSchedule, StackingSchedule


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
    with pytest.raises(ValueError, match=f"epochs={epochs} is too few for the 3"):
        DoublingSchedule().table(4, epochs)


def test_shares_are_rounded_up_to_whole_epochs():
    schedule = StackingSchedule.shares([4, 8, 16], [1, 2, 4])
    assert schedule.table(4, epochs=10) == {2: 8, 5: 16}
    assert StackingSchedule.shares([2, 4], [1, 1]).table(2, epochs=5) == {3: 4}


def test_stages_too_short_for_an_epoch_get_one_each():
    schedule = StackingSchedule.shares([1, 2, 3, 4], [1, 1, 1, 97])
    assert schedule.table(1, epochs=10) == {1: 2, 2: 3, 3: 4}


def test_no_stage_falls_behind_the_last_epoch():
    assert StackingSchedule.shares([4, 8], [9, 1]).table(4, epochs=5) == {4: 8}
    table = StackingSchedule.shares([4, 8, 16], [4, 1, 1]).table(4, epochs=3)
    assert table == {1: 8, 2: 16}


def test_shares_may_start_at_the_depth_that_the_model_has_now():
    schedule = StackingSchedule.shares([8, 16], [1, 1])
    assert schedule.table(4, epochs=4, num_blocks=8) == {2: 16}


def test_shares_that_start_at_another_depth_than_the_model_are_refused():
    with pytest.raises(ValueError, match="starts with 4 blocks.*was built with 8"):
        StackingSchedule.shares([4, 8], [1, 1]).table(8, epochs=10)


def test_growths_beyond_the_last_epoch_are_refused_unless_partial():
    with pytest.raises(ValueError, match=r"partial=True"):
        StackingSchedule({10: 8}).table(4, epochs=10)
    with pytest.raises(ValueError, match="grows nothing"):
        StackingSchedule({0: 4, 12: 8}).table(4, epochs=10)
    partial = StackingSchedule({10: 8}, partial=True)
    assert partial.table(4, epochs=10) == {10: 8}


def test_one_growth_beyond_the_end_is_no_mistake_if_another_is_within():
    assert StackingSchedule({2: 8, 20: 16}).table(4, epochs=10) == {2: 8, 20: 16}


def test_a_schedule_shallower_than_the_model_is_refused():
    with pytest.raises(ValueError, match="goes to 4 blocks.*was built with 8"):
        StackingSchedule({2: 4, 3: 16}).table(8, epochs=10)


@pytest.mark.parametrize(
    "depths, message",
    [
        ({}, "schedule is empty"),
        ({-1: 4}, "epochs count from 0"),
        ({1: 8, 2: 8}, "more blocks at each later epoch"),
        ({1: 8, 2: 4}, "more blocks at each later epoch"),
    ],
)
def test_tables_that_are_no_growth_are_refused(depths, message):
    with pytest.raises(ValueError, match=message):
        StackingSchedule(depths)


@pytest.mark.parametrize(
    "num_blocks, shares, message",
    [
        ([4, 8], [1], "an entry for each"),
        ([4], [1], "at least two stages"),
        ([4, 8], [1, 0], "shares must be positive"),
        ([8, 4], [1, 1], "more blocks at each later epoch"),
    ],
)
def test_shares_that_do_not_fit_are_refused(num_blocks, shares, message):
    with pytest.raises(ValueError, match=message):
        StackingSchedule.shares(num_blocks, shares)

from dataclasses import replace

import numpy as np
import pytest

from stackrec_keras.data import Split, Windows
from stackrec_keras.experiments.arms import Arm, Stage
from stackrec_keras.experiments.report import (
    growth_bounds,
    histories,
    scenario_table,
    speed_up,
)

METRICS = ("mrr@5", "hit_rate@5", "ndcg@5", "mrr@10", "hit_rate@10", "ndcg@10")
POPULARITY = dict.fromkeys(METRICS, 0.01)


def arm(name, values, seconds, depths=None, seed=0, test=0.1, shares=None):
    """An arm with a validation quality, seconds and a depth for each epoch."""
    depths = depths or [4] * len(values)
    rows = [
        {"epoch": epoch, "num_blocks": depth, "val_mrr@5": value, "seconds": taken}
        for epoch, (value, taken, depth) in enumerate(
            zip(values, seconds, depths, strict=True)
        )
    ]
    for row, share in zip(rows, shares or (), strict=False):
        row["data_share"] = share
    return Arm(name, seed, rows, dict.fromkeys(METRICS, test), POPULARITY)


def split():
    windows = Windows(np.array([[1, 2], [2, 1]], np.int32), np.arange(2))
    return Split(windows, windows, windows)


def test_stages_are_epochs_of_equal_depth_and_add_up_to_the_whole():
    grown = arm("stacked", [0.1, 0.2, 0.3, 0.25], [1.5, 2, 2.25, 4], [1, 2, 2, 4])
    assert grown.stages == [
        Stage(num_blocks=1, data_share=1.0, epochs=1, seconds=1.5),
        Stage(num_blocks=2, data_share=1.0, epochs=2, seconds=4.25),
        Stage(num_blocks=4, data_share=1.0, epochs=1, seconds=4.0),
    ]
    assert grown.seconds == 9.75
    assert (grown.best_epoch, grown.num_blocks) == (3, 4)


def test_the_time_to_a_quality_is_the_end_of_the_first_epoch_that_has_it():
    net = arm("stacked", [0.1, 0.3, 0.2, 0.4], [1, 2, 4, 8])
    assert net.seconds_to(0.25) == 3
    assert net.seconds_to(0.4) == 15
    assert net.seconds_to(0.41) is None


def test_the_speed_up_counts_the_shallow_stages():
    stacked = arm("stacked", [0.198, 0.3], [2, 3], [2, 4], test=0.09)
    scratch = arm("from scratch", [0.05, 0.199, 0.2, 0.1], [4, 4, 4, 4], test=0.1)
    found = speed_up([stacked, scratch], 0)
    assert found == {
        "seed": 0,
        "best": 2.4,  # 12 s by 5 s
        "nearly": 6.0,  # 12 s by 2 s
        "both_nearly": 4.0,  # 8 s by 2 s
        "last_stage": 4.0,  # 12 s by 3 s
        "quality": 0.9,
    }


def test_a_stacked_net_that_never_comes_there_has_no_speed_up():
    arms = [arm("stacked", [0.1], [1.0]), arm("from scratch", [0.2], [1.0])]
    found = speed_up(arms, 0)
    assert found["best"] is found["nearly"] is found["both_nearly"] is None
    table = scenario_table(arms, [found], split())
    assert "| not reached |" in table
    assert "from scratch: not reached. If the stacked" in " ".join(table.split())


def test_a_net_from_scratch_that_finds_nothing_leaves_no_ratio_of_qualities():
    arms = [arm("stacked", [0.1], [1.0]), arm("from scratch", [0.2], [1.0], test=0.0)]
    found = speed_up(arms, 0)
    assert found["quality"] is None
    table = " ".join(scenario_table(arms, [found], split()).split())
    assert "undefined (the from-scratch score is 0)" in table


def test_several_seeds_are_told_by_mean_and_spread():
    arms = []
    for seed, test in ((0, 0.10), (1, 0.12)):
        arms.append(arm("stacked", [0.2], [10.0 + 10 * seed], seed=seed, test=test))
        arms.append(arm("from scratch", [0.2], [40.0], seed=seed, test=test))
    speed_ups = [speed_up(arms, seed) for seed in (0, 1)]
    table = scenario_table(arms, speed_ups, split())
    rows = [line for line in table.splitlines() if line.startswith("| stacked")]
    assert "15 ± 7 |" in rows[0] and "| 0.1100 ± 0.0141 |" in rows[1]
    assert "of the model from scratch: 3.00 (2.00 to 4.00)" in table
    assert table.count("| popularity ") == 2  # the six metrics are too wide for one
    assert max(map(len, table.splitlines())) <= 100


def test_a_seed_that_never_came_there_is_counted_out_aloud():
    arms = [
        arm("stacked", [0.2], [10.0]),
        arm("from scratch", [0.2], [20.0]),
        arm("stacked", [0.1], [10.0], seed=1),
        arm("from scratch", [0.2], [20.0], seed=1),
    ]
    speed_ups = [speed_up(arms, seed) for seed in (0, 1)]
    table = scenario_table(arms, speed_ups, split())
    assert "2.00, not reached in 1 of 2 seeds" in " ".join(table.split())
    assert "not reached in 1 of 2 |" in table


@pytest.mark.parametrize("values, rising", [([0.1, 0.2], True), ([0.2, 0.1], False)])
def test_a_net_from_scratch_that_is_still_rising_is_said_to_be(values, rising):
    arms = [arm("stacked", [0.2], [1.0]), arm("from scratch", values, [1.0, 1.0])]
    table = scenario_table(arms, [speed_up(arms, 0)], split())
    assert ("best in its last epoch" in " ".join(table.split())) == rising


def test_where_data_came_later_the_last_stage_is_told_apart():
    stacked = arm("stacked", [0.1, 0.3], [2, 3], [2, 2], shares=[0.5, 1.0])
    scratch = arm("from scratch", [0.2], [12])
    assert [stage.data_share for stage in stacked.stages] == [0.5, 1.0]
    speed_ups = [speed_up([stacked, scratch], 0)]
    table = scenario_table([stacked, scratch], speed_ups, split())
    assert "| 2 on 50%: 2.0 + 2: 3.0 |" in table
    assert "it already exists: 4.00." in " ".join(table.split())
    assert "trained on without" not in table
    assert "| s from arrival |" in table.splitlines()[0]
    stacked_row, scratch_row = table.splitlines()[2:4]
    assert stacked_row.split("|")[-2].strip() == "3.0"
    assert scratch_row.split("|")[-2].strip() == "12"
    only_scratch = scenario_table([scratch], speed_ups, split())
    assert "last stage" not in only_scratch


def test_going_on_without_growing_counts_from_the_arrival_too():
    arms = [
        arm("stacked", [0.1, 0.3], [2, 3], [2, 4], shares=[0.5, 1.0]),
        arm("from scratch", [0.2], [12]),
        arm("shallow, trained on", [0.1, 0.1, 0.2], [2, 1, 1], [2, 2, 2]),
    ]
    for row, share in zip(arms[2].rows, [0.5, 1.0, 1.0]):
        row["data_share"] = share
    found = speed_up(arms, 0)
    assert (found["last_stage"], found["trained_on"]) == (4.0, 6.0)
    table = " ".join(scenario_table(arms, [found], split()).split())
    assert "on without growing: 6.00." in table


def test_what_was_before_another_task_counts_in_the_seconds():
    before = [Stage(2, 1.0, 3, 5.0, "source")]
    net = arm("stacked", [0.1, 0.2], [1, 2])
    net = replace(net, before=before, task="target")
    assert net.clock == [6, 8] and net.seconds_to(0.2) == 8
    assert net.stages == [*before, Stage(4, 1.0, 2, 3, "target")]
    scratch = arm("from scratch", [0.2], [12])
    drawn = histories([net, scratch, replace(net, seed=1)])
    assert [len(frames) for frames in drawn.values()] == [2, 1]
    assert list(drawn["stacked"][1]["training_seconds"]) == [6, 8]
    speed_ups = [speed_up([net, scratch], 0)]
    table = scenario_table([net, scratch], speed_ups, split())
    assert "| source 2: 5.0 + target 4: 3.0 |" in table


def test_the_report_says_what_a_perfect_growth_could_save():
    arms = [
        arm("stacked", [0.1, 0.3], [2, 3], [2, 4]),
        arm("from scratch", [0.1, 0.2, 0.3], [10, 10, 10]),
        arm("shallow, as long", [0.1, 0.2], [1, 1], [2, 2]),
    ]
    assert growth_bounds(arms) == [2.5]  # 30 s by 2 s and the last 10 s
    speed_ups = [speed_up(arms, 0)]
    text = scenario_table(arms, speed_ups, split(), growth_bounds(arms))
    assert "2.50" in text and "Growth bound" in text


def test_models_of_a_part_of_the_rows_have_no_growth_bound():
    arms = [
        arm("stacked", [0.1, 0.3], [2, 3], [2, 4], shares=[0.5, 1.0]),
        arm("from scratch", [0.1, 0.2], [10, 10]),
        arm("shallow, as long", [0.1, 0.2], [1, 1], [2, 2]),
    ]
    assert growth_bounds(arms) == []

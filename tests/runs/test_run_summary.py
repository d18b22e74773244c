"""What is printed at the end of training."""

from dataclasses import replace

import pytest

from stackrec_keras.runs.config import TrainConfig
from stackrec_keras.runs.summary import ending

GROWTHS = {2: 4, 6: 8}


def rows(values, growths=None):
    """The history of a run of 2 blocks at first with these values of val_mrr@5."""
    depth, found = 2, []
    for epoch, value in enumerate(values):
        depth = (growths or {}).get(epoch, depth)
        found.append({"epoch": epoch, "num_blocks": depth, "val_mrr@5": value})
    return found


def test_a_stop_before_a_growth_names_what_is_kept_and_what_was_not_reached():
    config = TrainConfig(epochs=9, patience=3)
    history = rows([0.1, 0.2, 0.3, 0.2, 0.2, 0.2], GROWTHS)
    assert ending(config, history, GROWTHS) == (
        "Stopped after epoch 5: val_mrr@5 was best in epoch 2, with 4 blocks, and "
        "the weights of that epoch are kept; the model did not grow to 8 blocks at "
        "epoch 6 (increase patience). Epochs count from 0."
    )


def test_a_stop_by_the_clock_asks_for_more_of_that():
    config = TrainConfig(epochs=9, patience=3, max_seconds=1.0)
    line = ending(config, rows([0.1, 0.3, 0.2]), {3: 4, 6: 8, 12: 16})
    assert "not grow to 4 blocks at epoch 3 and to 8 blocks at epoch 6" in line
    assert "(increase max_seconds)" in line and "16 blocks" not in line


def test_a_shallower_model_than_the_last_names_the_option_that_keeps_the_deepest():
    config = TrainConfig(epochs=4, patience=4)
    history = rows([0.1, 0.3, 0.2, 0.2], GROWTHS)
    assert ending(config, history, GROWTHS) == (
        "val_mrr@5 was best in epoch 1, with 2 blocks, and the weights of that "
        "epoch are kept; to keep the best epoch with 4 blocks, use best_of='deepest' "
        "(--best-of deepest). Epochs count from 0."
    )
    assert ending(replace(config, best_of="deepest"), history, GROWTHS) is None


def test_patience_counts_from_the_best_epoch_of_the_last_depth():
    config = TrainConfig(epochs=9, patience=2, best_of="deepest")
    history = rows([0.9, 0.3, 0.2, 0.1, 0.1], GROWTHS)
    line = ending(config, history, GROWTHS)
    assert "best in epoch 2, with 4 blocks" in line and "(increase patience)" in line


def test_a_last_epoch_that_is_not_the_best_is_told_with_the_way_out():
    config = TrainConfig(epochs=3)
    assert ending(config, rows([0.0299, 0.0131, 0.0131]), {}) == (
        "val_mrr@5 was best in epoch 0 (0.0299; epochs count from 0), but the model is "
        "that of the last epoch (0.0131). With patience=3 (--patience 3), the run "
        "would keep the best epoch's weights."
    )
    grown = rows([0.1, 0.3, 0.2], GROWTHS)
    assert "in epoch 1 at 2 blocks (0.3000;" in ending(config, grown, GROWTHS)


@pytest.mark.parametrize(
    "options, values",
    [
        ({}, [0.1, 0.2, 0.3]),
        ({}, [0.1, 0.3, 0.3]),
        ({}, [0.1, 0.30001, 0.3]),  # they would read the same
        ({"schedule": "plateau"}, [0.1, 0.3, 0.2]),  # restores the best itself
        ({"patience": 3}, [0.1, 0.3, 0.2]),
    ],
)
def test_there_is_nothing_to_say_of_a_model_that_is_what_one_expects(options, values):
    assert ending(TrainConfig(epochs=3, **options), rows(values), {}) is None


def test_there_is_nothing_to_say_without_a_validation_metric():
    history = [{"epoch": 0, "num_blocks": 2}, {"epoch": 1, "num_blocks": 2}]
    assert ending(TrainConfig(epochs=2), history, {}) is None

import keras
import numpy as np
import pandas as pd
from refusals import refused

from stackrec_keras import plot


def trials():
    return pd.DataFrame(
        {
            "num_blocks": [1, 2, 2, 4, pd.NA],
            "training_seconds": [10.0, 20.0, 20.0, 40.0, np.nan],
            "val_mrr@5": [0.1, 0.3, 0.2, 0.25, np.nan],
            "val_loss": [3.0, 2.0, 2.5, 1.0, np.nan],
        }
    ).astype({"num_blocks": "Int64"})


def lines(figure):
    return {
        line.get_label(): line.get_xydata().tolist() for line in figure.axes[0].lines
    }


def test_each_trial_is_a_point_coloured_by_its_depth():
    figure = plot.quality_vs_time(trials())
    found = lines(figure)
    assert found["1 block"] == [[10, 0.1]]
    assert found["2 blocks"] == [[20, 0.3], [20, 0.2]]
    assert found["4 blocks"] == [[40, 0.25]]
    colours = [line.get_color() for line in figure.axes[0].lines]
    assert len(set(colours)) == len(colours)
    assert figure.axes[0].get_xlabel() == "training time (s)"


def test_no_trial_is_as_good_as_one_on_the_front_in_as_little_time():
    assert lines(plot.quality_vs_time(trials()))["front"] == [[10, 0.1], [20, 0.3]]


def test_a_loss_is_better_the_lower_it_is():
    found = lines(plot.quality_vs_time(trials(), metric="val_loss"))
    assert found["front"] == [[10, 3.0], [20, 2.0], [40, 1.0]]


def test_a_history_is_a_curve_over_the_seconds_that_have_gone_by():
    trained = keras.callbacks.History()
    trained.history = {"seconds": [2.0, 3.0], "val_mrr@5": [0.1, 0.2]}
    runs = {
        "a": trained,
        "b": {"training_seconds": [1.0, 9.0], "val_mrr@5": [0.15, 0.3]},
    }
    found = lines(plot.quality_vs_time(runs))
    assert found["a"] == [[2, 0.1], [5, 0.2]]
    assert found["b"] == [[1, 0.15], [9, 0.3]]
    assert found["front"] == [[1, 0.15], [5, 0.2], [9, 0.3]]


def test_histories_of_one_name_have_one_colour_and_their_growths_are_marked():
    def history(depths):
        quality = [0.1 * epoch for epoch in range(len(depths))]
        seconds = [2.0] * len(depths)
        return {"num_blocks": depths, "val_mrr@5": quality, "seconds": seconds}

    runs = {"grown": [history([1, 2, 2, 4]), history([1, 1, 2, 4])]}
    figure = plot.quality_vs_time({**runs, "deep": history([4, 4])})
    (axes,) = figure.axes
    assert axes.get_xlabel() == "training time (s; ▲: first epoch after a growth step)"
    curves, marks = axes.lines[:-1:2], axes.lines[1:-1:2]
    assert [list(curve.get_xdata()) for curve in curves] == [
        [2, 4, 6, 8],
        [2, 4, 6, 8],
        [2, 4],
    ]
    assert [list(mark.get_xdata()) for mark in marks] == [[4, 8], [6, 8], []]
    colours = [line.get_color() for line in (*curves, *marks)]
    assert colours[:2] == colours[3:5] and len(set(colours[:2])) == 1
    assert colours[2] == colours[5] != colours[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["grown", "deep", "front"]


def test_the_picture_is_written(tmp_path):
    plot.quality_vs_time(trials(), tmp_path / "trials.png")
    assert (tmp_path / "trials.png").stat().st_size > 1000


def test_what_cannot_be_drawn_is_refused():
    with refused("runs", says="has no 'val_mrr', only .*mrr@5"):
        plot.quality_vs_time(trials(), metric="val_mrr")
    with refused("runs['a']", says="has no 'training_seconds'"):
        plot.quality_vs_time({"a": {"val_mrr@5": [0.1]}})
    for nothing in ({}, trials().iloc[4:]):
        with refused("runs", says="no completed trial"):
            plot.quality_vs_time(nothing)
    with refused("runs", says="must be a frame of trials"):
        plot.quality_vs_time([trials()])
    with refused("runs['a']", received=5):
        plot.quality_vs_time({"a": [{}, 5]})
    with refused("path", received=5):
        plot.quality_vs_time(trials(), 5)

import math
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest
from refusals import refused

from stackrec_keras import plot


def grown():
    return {
        "loss": [3.0, 2.5, 2.0, 1.8, 1.7],
        "val_loss": [3.1, 2.7, 2.4, 2.3, 2.4],
        "val_mrr@5": [0.1, 0.2, 0.3, 0.4, 0.35],
        "num_blocks": [4, 4, 8, 8, 16],
    }


def labels(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def curve(axes, number=0):
    return axes.lines[number].get_xydata().T.tolist()


def test_metric_and_losses_are_drawn_over_the_epochs():
    top, bottom = plot.history(grown()).axes
    assert curve(top) == [[0, 1, 2, 3, 4], grown()["val_mrr@5"]]
    assert curve(bottom)[1] == grown()["loss"]
    assert curve(bottom, 1)[1] == grown()["val_loss"]
    assert top.get_ylabel() == "MRR@5 (validation, 0 to 1)"
    assert bottom.get_ylabel() == "loss (nats per target)"
    assert bottom.get_xlabel() == "epoch (from 0)"
    assert top.get_title(loc="left") == "best MRR@5: 0.4000 in epoch 3"


def test_without_validation_the_loss_is_drawn_above():
    top = plot.history({"loss": [3.0, 2.5, 2.0], "num_blocks": [1, 1, 2]}).axes[0]
    assert curve(top) == [[0, 1, 2], [3.0, 2.5, 2.0]]
    assert top.get_title(loc="left") == "best loss: 2.0000 in epoch 2"


def test_a_line_and_a_label_mark_each_growth_between_two_epochs():
    figure = plot.history(grown())
    assert labels(figure) == ["4 → 8 blocks", "8 → 16 blocks"]
    for axes in figure.axes:
        places = [
            line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 2
        ]
        assert places == [1.5, 3.5]


def test_a_run_without_growth_has_no_marks():
    history = grown()
    del history["num_blocks"]
    assert labels(plot.history(history)) == []
    assert labels(plot.history({**history, "num_blocks": [4] * 5})) == []


def test_labels_neither_overlap_nor_leave_the_axes():
    depths = [2**i for i in range(4) for _ in range(2)] + [8] * 12 + [16]
    history = {"loss": [1.0] * 21, "val_mrr@5": [0.1] * 21, "num_blocks": depths}
    figure = plot.history(history)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == 4
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])
        assert box.x1 <= figure.axes[0].get_window_extent().x1


def test_a_keras_history_and_a_frame_draw_the_same_as_a_dict():
    returned_by_fit = keras.callbacks.History()
    returned_by_fit.history = grown()
    expected = curve(plot.history(grown()).axes[0])
    assert curve(plot.history(returned_by_fit).axes[0]) == expected
    assert curve(plot.history(pd.DataFrame(grown())).axes[0]) == expected


def test_epochs_are_those_of_the_history():
    figure = plot.history({**grown(), "epoch": [5, 6, 7, 8, 9]})
    assert curve(figure.axes[0])[0] == [5, 6, 7, 8, 9]
    assert "in epoch 8" in figure.axes[0].get_title(loc="left")


def test_another_metric_can_be_drawn():
    history = {**grown(), "val_hit_rate@10": [0.5] * 5}
    top = plot.history(history, metric="val_hit_rate@10").axes[0]
    assert top.get_ylabel() == "hit rate@10 (validation, 0 to 1)"


def test_the_best_loss_is_the_least():
    for name in ("loss", "val_loss"):
        top = plot.history({**grown(), name: [3.0, 2.0, 1.5, 2.5, 4.0]}, metric=name)
        title = top.axes[0].get_title(loc="left")
        assert title == "best loss: 1.5000 in epoch 2"


def validated(epochs, **arguments):
    """Returns what `fit` does, with the given columns in its `.history`."""
    returned_by_fit = keras.callbacks.History()
    returned_by_fit.epoch = [*epochs]
    returned_by_fit.history = {"loss": [1.0] * len(epochs), **arguments}
    return returned_by_fit


def test_values_of_every_nth_epoch_are_drawn_at_these_epochs():
    fit = validated(range(5), **{"val_mrr@5": [0.2, 0.1], "val_loss": [3.0, 2.0]})
    top, bottom = plot.history(fit).axes
    assert curve(top) == [[1, 3], [0.2, 0.1]]
    assert curve(bottom) == [[0, 1, 2, 3, 4], [1.0] * 5]
    assert curve(bottom, 1) == [[1, 3], [3.0, 2.0]]
    assert "in epoch 1" in top.get_title(loc="left")
    assert curve(plot.history(fit.history).axes[0]) == curve(top)


def test_a_fit_that_went_on_is_drawn_at_its_own_epochs():
    fit = validated(range(3, 8), **{"val_mrr@5": [0.1, 0.2, 0.3]})
    assert curve(plot.history(fit).axes[0])[0] == [3, 5, 7]


def test_values_of_unknown_epochs_are_refused():
    with refused("history", says="2 values of 'val_mrr@5' for 10 epochs"):
        plot.history(validated(range(10), **{"val_mrr@5": [0.1, 0.2]}))


def test_an_epoch_without_a_finite_value_has_no_point():
    values = [0.1, math.nan, 0.3, None, math.inf]
    top, bottom = plot.history(
        {**grown(), "val_mrr@5": values, "val_loss": [*values[:4], 0.2]}
    ).axes
    assert curve(top) == [[0, 2], [0.1, 0.3]]
    assert curve(bottom, 1) == [[0, 2, 4], [0.1, 0.3, 0.2]]
    with refused("metric", "val_mrr@5", says="only NaN and infinite values"):
        plot.history({**grown(), "val_mrr@5": [math.nan] * 5})


def test_one_epoch_is_enough():
    one = {name: values[:1] for name, values in grown().items()}
    assert curve(plot.history(one).axes[0]) == [[0], [0.1]]


def test_the_picture_is_written_and_is_800_pixels_wide(tmp_path):
    from matplotlib.image import imread

    plot.history(grown(), tmp_path / "curve.png")
    pixels = imread(tmp_path / "curve.png")
    assert pixels.shape == (500, 800, 4)
    assert len(np.unique(pixels)) > 50


def test_notebooks_can_show_the_figure():
    assert plot.history(grown())._repr_png_().startswith(b"\x89PNG")


def test_a_missing_metric_names_those_there_are():
    with refused("metric", "val_ndcg@5", says="which has .*val_mrr@5"):
        plot.history(grown(), metric="val_ndcg@5")
    with refused("history", says="has no epoch"):
        plot.history({"val_mrr@5": []})


@pytest.mark.parametrize("fitted", [False, True])
def test_a_model_is_refused_as_a_history(make_model, fitted):
    model = make_model(num_blocks=1)
    if fitted:
        model.history = keras.callbacks.History()
    for wrong in (model, [1.0, 0.5]):
        with refused("history", received=wrong):
            plot.history(wrong)


def test_a_metric_in_place_of_the_path_is_refused():
    with refused("path", ["loss"], says="by keyword: metric='val_mrr@5'"):
        plot.history(grown(), ["loss"])


def test_matplotlib_is_imported_only_to_draw_and_pyplot_never():
    code = """
import sys
sys.modules["matplotlib"] = sys.modules["matplotlib.pyplot"] = None
from stackrec_keras import plot
del sys.modules["matplotlib"]
plot.history({"loss": [1.0, 0.5], "val_mrr@5": [0.1, 0.2]})
assert "matplotlib.figure" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)

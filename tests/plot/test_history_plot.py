import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest

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
    assert bottom.get_ylabel() == "loss (nats a target)"
    assert bottom.get_xlabel() == "epoch (from 0)"
    assert top.get_title(loc="left") == "best MRR@5: 0.4000 in epoch 3"


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


def test_labels_do_not_lie_on_each_other_or_outside():
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
    with pytest.raises(ValueError, match="'val_ndcg@5' is not .* val_mrr@5"):
        plot.history(grown(), metric="val_ndcg@5")
    with pytest.raises(ValueError, match="history has no epoch"):
        plot.history({"val_mrr@5": []})


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

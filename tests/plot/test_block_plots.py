import numpy as np
import pytest
from refusals import refused

import stackrec_keras as sr


def test_similarities_are_drawn_unchanged(make_model):
    model = make_model(num_blocks=3)
    image = sr.plot.block_similarity(model).axes[0].images[0]
    np.testing.assert_allclose(
        image.get_array(), sr.stacking.block_similarity(model), atol=1e-12
    )


def test_no_label_lies_at_the_edge(make_model):
    figure = sr.plot.block_similarity(make_model(num_blocks=3))
    figure.draw_without_rendering()
    for axes in figure.axes:
        box = axes.get_tightbbox()
        assert min(box.x0, box.y0) >= 10
        assert box.x1 <= figure.bbox.x1 - 10
        assert box.y1 <= figure.bbox.y1 - 10


def test_a_path_of_another_type_is_refused(make_model):
    for draw in (sr.plot.block_similarity, sr.plot.gates):
        with refused("path", received=3):
            draw(make_model(num_blocks=1), 3)


def test_a_picture_may_go_into_an_open_file(make_model, tmp_path):
    with open(tmp_path / "similarity.png", "wb") as file:
        sr.plot.block_similarity(make_model(num_blocks=1), file)
    assert (tmp_path / "similarity.png").stat().st_size > 1000


def test_gates_are_drawn_as_bars_side_by_side(tmp_path):
    model = sr.SASRec(9, 5, 4, num_blocks=2)
    model.stack.gate1.assign([0.5, -0.25])
    figure = sr.plot.gates(model, tmp_path / "gates.png")
    bars = figure.axes[0].patches
    assert [bar.get_height() for bar in bars] == pytest.approx([0.5, -0.25, 0, 0])
    places = [bar.get_x() for bar in bars]
    assert len(set(places)) == 4
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["gate1", "gate2"]
    assert (tmp_path / "gates.png").stat().st_size > 1000

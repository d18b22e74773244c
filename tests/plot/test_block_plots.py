import numpy as np
import pytest

import stackrec_keras as sr


def test_similarity_is_drawn_as_it_is(make_model):
    model = make_model(num_blocks=3)
    image = sr.plot.block_similarity(model).axes[0].images[0]
    np.testing.assert_allclose(
        image.get_array(), sr.stacking.block_similarity(model), atol=1e-12
    )


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

import stackrec_keras as sr

SHALLOW = {"val_loss": [3.0, 2.0], "seconds": [1, 2]}
DEEP = {"val_loss": [4.0, 2.0, 1.0], "seconds": [10, 20, 30]}


def test_the_perfect_growth_goes_on_as_the_deep_model_did(tmp_path):
    figure = sr.plot.growth_bound(SHALLOW, DEEP, tmp_path / "bound.png")
    assert (tmp_path / "bound.png").stat().st_size > 1000
    (axes,) = figure.axes
    lines = {line.get_label(): line for line in axes.lines}
    assert lines["shallow"].get_ydata().tolist() == [3.0, 2.0]
    assert lines["perfect growth step"].get_xydata().tolist() == [[12.0, 1.0]]
    assert axes.get_title() == "A perfect growth step is 2.50 times as fast"


def test_where_growth_saves_nothing_no_growth_is_drawn():
    figure = sr.plot.growth_bound(DEEP, SHALLOW)
    labels = [line.get_label() for line in figure.axes[0].lines]
    assert labels == ["shallow", "deep"]

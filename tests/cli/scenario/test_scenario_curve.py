from stackrec_keras.cli.scenario.arms import Arm
from stackrec_keras.cli.scenario.curve import draw_curve


def rows(depths):
    return [
        {"num_blocks": depth, "val_mrr@5": 0.1 * epoch, "seconds": 2.0}
        for epoch, depth in enumerate(depths)
    ]


def test_an_arm_has_a_colour_and_a_line_a_seed_with_its_growths_marked(tmp_path):
    arms = [
        Arm("stacked", 0, rows([1, 2, 2, 4]), {}, {}),
        Arm("from scratch", 0, rows([4, 4]), {}, {}),
        Arm("stacked", 1, rows([1, 1, 2, 4]), {}, {}),
    ]
    figure = draw_curve(arms, tmp_path / "curve.png")
    (axes,) = figure.axes
    lines, marks = axes.lines[::2], axes.lines[1::2]
    assert [list(line.get_xdata()) for line in lines] == [
        [2, 4, 6, 8],
        [2, 4],
        [2, 4, 6, 8],
    ]
    assert [list(mark.get_xdata()) for mark in marks] == [[4, 8], [], [6, 8]]
    colours = [line.get_color() for line in lines]
    assert colours[0] == colours[2] != colours[1]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["stacked", "from scratch"]
    assert (tmp_path / "curve.png").stat().st_size > 5000

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import FancyBboxPatch, PathPatch
from refusals import refused

from stackrec_keras import plot


def lines(figure):
    """(old block, new block, style) of each line."""
    return [
        (*path.get_path().vertices[[0, -1], 1].tolist(), path.get_linestyle())
        for path in figure.axes[0].patches
        if isinstance(path, PathPatch)
    ]


def labels(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def colors(figure):
    return [
        to_hex(box.get_facecolor())
        for box in figure.axes[0].patches
        if isinstance(box, FancyBboxPatch)
    ]


def test_a_solid_line_leads_to_where_a_block_stays_and_dashed_ones_to_its_copies():
    figure = plot.growth_plan("stackA", old=2, new=4)
    assert lines(figure) == [(0, 0, "-"), (0, 1, "--"), (1, 2, "-"), (1, 3, "--")]
    assert labels(figure)[2:] == ["0: from 0", "1: from 0", "2: from 1", "3: from 1"]
    assert figure.axes[0].get_title() == "stackA: 2 → 4 blocks"


def test_a_block_has_the_color_of_its_source_and_a_random_one_is_white():
    figure = plot.growth_plan([1, 0, None], old=2)
    low, high, *new = colors(figure)
    assert low != high
    assert new == [high, low, "#ffffff"]
    assert labels(figure)[-1] == "2: random"
    assert len(lines(figure)) == 2


def test_a_method_doubles_or_stacks_its_top_blocks_or_whole_cycles():
    figure = plot.growth_plan("stackC", old=3)
    assert [new for _, new, _ in lines(figure)] == [*range(6)]
    figure = plot.growth_plan("stackC", old=3, top_blocks=1)
    assert [old for old, *_ in lines(figure)] == [0, 1, 2, 2]
    figure = plot.growth_plan("stackA", old=2, cycle=2)
    assert [old for old, *_ in lines(figure)] == [0, 1, 0, 1]


def test_old_blocks_without_a_copy_are_drawn_too():
    assert labels(plot.growth_plan([0, 1], old=4))[:4] == ["0", "1", "2", "3"]
    assert labels(plot.growth_plan([0, 2]))[:3] == ["0", "1", "2"]


def test_a_deep_model_fits_on_a_page_and_the_picture_is_written(tmp_path):
    figure = plot.growth_plan("stackC", tmp_path / "plan.png", old=60)
    assert figure.get_size_inches()[1] < 14
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts[60:]]
    assert all(np.diff([box.y0 for box in boxes]) > [box.height for box in boxes[1:]])
    assert (tmp_path / "plan.png").stat().st_size > 1000


@pytest.mark.parametrize(
    "arguments, argument, says",
    [
        ({"plan": "stackC"}, "old", "plan='stackC' needs it"),
        ({"plan": "stackC", "path": 4}, "path", "by keyword: old=4"),
        ({"plan": []}, "plan", "no sources"),
        ({"plan": [0, 1], "new": 3}, "new", "sources in plan, 2"),
        ({"plan": [0, 3], "old": 2}, "plan", "0 to 3, but the old model has .* 0 to 1"),
        ({"plan": [0, -1]}, "plan", "from -1 to 0"),
        ({"plan": [0, 1], "top_blocks": 1}, "top_blocks", "plan is a list"),
        ({"plan": [0, 1], "cycle": 2}, "cycle", "plan is a list"),
    ],
)
def test_a_plan_that_fits_no_model_is_refused(arguments, argument, says):
    with refused(argument, says=says):
        plot.growth_plan(**arguments)


def test_an_unknown_method_is_refused_by_name():
    with pytest.raises(ValueError, match="stackQ"):
        plot.growth_plan("stackQ", old=2)

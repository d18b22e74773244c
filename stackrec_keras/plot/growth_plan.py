from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING

from stackrec_keras.plot.arguments import check_path
from stackrec_keras.plot.figure import finished, new_figure
from stackrec_keras.stacking import block_sources

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INCHES, _MOST_INCHES = 0.3, 12.0  # of height: of a block, and of all of them
_LEFT, _RIGHT, _WIDTH = 0.0, 3.0, 1.0


def growth_plan(
    plan: str | Sequence[int | None],
    path: str | PathLike | None = None,
    old: int | None = None,
    new: int | None = None,
    top_blocks: int | None = None,
    cycle: int = 1,
) -> "Figure":
    """Draws which old block feeds each block of the deeper net.

    A block has the colour of the one that feeds it; a solid line leads to the place
    where it stays in the net, dashed ones to its copies. New random blocks are white.

    Args:
        plan: String, a stacking method, or the growth itself: a list with the source
            of each new block, an old block's index or `None`.
        path: Where to write the picture (`.png`, `.svg`, `.pdf`), or `None`.
        old: Integer, the blocks of the shallower net. By default as many as a list
            names; a method needs it.
        new: Integer, the blocks of the deeper net, for a method. Defaults to twice
            `old`, or to `top_blocks` more.
        top_blocks: As in `stacking.block_sources`, for a method.
        cycle: As in `stacking.block_sources`, for a method.

    Returns:
        A `matplotlib.figure.Figure`. It belongs to no `pyplot` state.

    Raises:
        ValueError: If method, sources and depths do not fit, or the path is none.

    Example:

    ```python
    sr.plot.growth_plan("stackA", old=4, new=8)
    sr.plot.growth_plan([0, 1, 2, 3, 2, 3, None])
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """
    check_path(path, "old=4, new=8")
    name, old, sources = _sources(plan, old, new, top_blocks, cycle)
    deepest = max(len(sources), old)
    inches = min(_INCHES, _MOST_INCHES / deepest)
    size = min(8.5, 40 * inches)  # of the text in a block, in points
    figure = new_figure(4.5, 1.2 + inches * deepest)
    axes = figure.subplots()
    colors = _colors(old)
    for block in range(old):
        _draw_block(axes, _LEFT, block, f"{block}", colors[block], size)
    for block, source in enumerate(sources):
        if source is not None:
            _draw_line(axes, source, block, colors[source], source in sources[:block])
        label = "random" if source is None else f"from {source}"
        color = None if source is None else colors[source]
        _draw_block(axes, _RIGHT, block, f"{block}: {label}", color, size)
    axes.set_title(f"{name}{old} → {len(sources)} blocks", fontsize="medium")
    axes.set_xlim(_LEFT - 0.1, _RIGHT + _WIDTH + 0.1)
    axes.set_ylim(-0.6, deepest - 0.4)
    axes.set_xticks(
        [x + _WIDTH / 2 for x in (_LEFT, (_LEFT + _RIGHT) / 2, _RIGHT)],
        ["old net", "solid: stays\ndashed: a copy", "new net"],
    )
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return finished(figure, path)


def _sources(plan, old, new, top_blocks, cycle):
    if not isinstance(plan, str):
        return "", *_given_sources(plan, old, new)
    if old is None:
        raise ValueError(
            f"growth_plan({plan!r}) needs old, the blocks of the shallower net, such "
            "as old=4."
        )
    new = old + (top_blocks or old) if new is None else new
    return f"{plan}: ", old, block_sources(plan, old, new, top_blocks, cycle)


def _given_sources(sources, old, new):
    sources = list(sources)
    if new not in (None, len(sources)) or not sources:
        raise ValueError(
            "plan must have a source for each new block. Received: "
            f"{len(sources)} sources, new={new}"
        )
    named = [source for source in sources if source is not None]
    least = max(named, default=0) + 1
    old = least if old is None else old
    if old < least or min(named, default=0) < 0:
        raise ValueError(
            f"plan names blocks from {min(named)} to {max(named)}, and the old net has "
            f"0 to {old - 1}. Received: plan={sources}"
        )
    return old, sources


def _colors(number):
    from matplotlib import colormaps

    # Black text is to be read on them: the dark end of the map is left out.
    return [
        colormaps["viridis"](0.25 + 0.7 * i / max(1, number - 1)) for i in range(number)
    ]


def _draw_block(axes, left, block, label, color, size):
    from matplotlib.patches import FancyBboxPatch

    axes.add_patch(
        FancyBboxPatch(
            (left, block - 0.38),
            _WIDTH,
            0.76,
            boxstyle="round,pad=0,rounding_size=0.15",
            facecolor=color or "white",
            alpha=0.6 if color else 1.0,
            edgecolor="0.3",
            linestyle="-" if color else ":",
            zorder=2,
        )
    )
    axes.text(
        left + _WIDTH / 2,
        block,
        label,
        ha="center",
        va="center",
        fontsize=size,
        zorder=3,
    )


def _draw_line(axes, source, block, color, is_copy):
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    start, end = _LEFT + _WIDTH, _RIGHT
    middle = (start + end) / 2
    points = [(start, source), (middle, source), (middle, block), (end, block)]
    axes.add_patch(
        PathPatch(
            Path(points, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]),
            facecolor="none",
            edgecolor=color,
            linewidth=1.8,
            linestyle="--" if is_copy else "-",
            zorder=1,
        )
    )

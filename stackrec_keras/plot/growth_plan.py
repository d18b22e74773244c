from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING

from stackrec_keras.errors import ArgumentError
from stackrec_keras.plot.figure import (
    check_picture_path,
    new_figure,
    write_figure,
)
from stackrec_keras.stacking import block_sources

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INCHES, _MOST_INCHES = 0.3, 12.0  # height of a block, limit for all blocks
_LEFT, _RIGHT, _WIDTH = 0.0, 3.0, 1.0


def growth_plan(
    plan: str | Sequence[int | None],
    path: str | PathLike | None = None,
    old: int | None = None,
    new: int | None = None,
    top_blocks: int | None = None,
    cycle: int = 1,
) -> "Figure":
    """Draws which old block each block of the deeper model is copied from.

    A block has the colour of its source. A solid line leads from an old block to its
    place in the deeper model, and dashed lines lead to its copies. New random blocks
    are white.

    Args:
        plan: The name of a stacking method, or a list with one source for each block
            of the deeper model. A source is the index of an old block, or `None` for a
            random block.
        path: Path (`.png`, `.svg`, `.pdf`) or binary file to write the figure to.
            Defaults to `None`.
        old: Integer, the number of blocks of the shallower model. Required for a
            method. Defaults to `None`: one more than the largest index in the list.
        new: Integer, the number of blocks of the deeper model. Defaults to `None`: the
            length of the list or, for a method, `old + top_blocks`, or `2 * old`
            without `top_blocks`.
        top_blocks: As in `stacking.block_sources`; only for a method. Defaults to
            `None`.
        cycle: As in `stacking.block_sources`; only for a method. Defaults to `1`.

    Returns:
        A `matplotlib.figure.Figure`, which is independent of `pyplot`.

    Raises:
        ArgumentError: If method, sources and depths do not fit together, or `path` is
            not a path.

    Example:

    ```python
    sr.plot.growth_plan("stackA", old=4, new=8)
    sr.plot.growth_plan([0, 1, 2, 3, 2, 3, None])
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """
    check_picture_path(path, "old=4")
    name, old, sources = _sources(plan, old, new, top_blocks, cycle)
    deepest = max(len(sources), old)
    inches = min(_INCHES, _MOST_INCHES / deepest)
    font_size = min(8.5, 40 * inches)
    figure = new_figure(4.5, 1.2 + inches * deepest)
    axes = figure.subplots()
    colors = _colors(old)
    for block in range(old):
        _draw_block(axes, _LEFT, block, f"{block}", colors[block], font_size)
    for block, source in enumerate(sources):
        if source is not None:
            _draw_line(axes, source, block, colors[source], source in sources[:block])
        label = "random" if source is None else f"from {source}"
        color = None if source is None else colors[source]
        _draw_block(axes, _RIGHT, block, f"{block}: {label}", color, font_size)
    axes.set_title(f"{name}{old} → {len(sources)} blocks", fontsize="medium")
    axes.set_xlim(_LEFT - 0.1, _RIGHT + _WIDTH + 0.1)
    axes.set_ylim(-0.6, deepest - 0.4)
    axes.set_xticks(
        [x + _WIDTH / 2 for x in (_LEFT, (_LEFT + _RIGHT) / 2, _RIGHT)],
        ["old model", "solid: stays\ndashed: a copy", "new model"],
    )
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return write_figure(figure, path)


def _sources(plan, old, new, top_blocks, cycle):
    if not isinstance(plan, str):
        for name, value, default in (
            ("top_blocks", top_blocks, None),
            ("cycle", cycle, 1),
        ):
            if value != default:
                reason = "is for a stacking method, but plan is a list of sources"
                raise ArgumentError(name, reason, "Leave it out.", value)
        return "", *_given_sources(plan, old, new)
    if old is None:
        raise ArgumentError(
            "old",
            f"is missing, but plan={plan!r} needs it",
            "Give the number of blocks of the shallower model, such as old=4.",
            old,
        )
    new = old + (top_blocks or old) if new is None else new
    return f"{plan}: ", old, block_sources(plan, old, new, top_blocks, cycle)


def _given_sources(sources, old, new):
    sources = list(sources)
    if not sources:
        raise ArgumentError("plan", "has no sources", received=sources)
    if new not in (None, len(sources)):
        reason = f"differs from the number of sources in plan, {len(sources)}"
        raise ArgumentError("new", reason, "Leave it out.", new)
    named = [source for source in sources if source is not None]
    least = max(named, default=0) + 1
    old = least if old is None else old
    if old < least or min(named, default=0) < 0:
        raise ArgumentError(
            "plan",
            f"names blocks from {min(named)} to {max(named)}, but the old model has "
            f"blocks 0 to {old - 1}",
            received=sources,
        )
    return old, sources


def _colors(number):
    from matplotlib import colormaps

    # Without the dark end of the map, on which black text is hard to read.
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

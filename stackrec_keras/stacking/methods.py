"""Stacking methods: which old block each block of the deeper model is copied from."""

from collections.abc import Callable
from dataclasses import dataclass

from stackrec_keras.arguments import check_integers
from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import counted, did_you_mean


@dataclass(frozen=True)
class StackingMethod:
    """One way to fill the blocks of a deeper model from a shallower one.

    Args:
        name: String, the method's name as users type it.
        description: String, one line.
        sources: Function that takes `(old, new, low, cycle)` and returns a list with
            the sources of the `new` blocks. Blocks below `low` keep their places.
        keeps_rest: Boolean, whether weights outside the blocks may be carried over.
            Defaults to `True`.
        release_copies_whole_blocks: Boolean, whether StackRec's reference
            implementation copies the gates and norms of a block along with its
            kernels. Defaults to `False`.
        carries_all: Boolean, whether everything is carried over, regardless of
            `inherit`. Such a method needs blocks with gates. Defaults to `False`.
        shares_gates: Boolean, whether a block and its copies divide the block's gate,
            so that together they add about as much as the block did. If `False`, and
            everything is carried over, the gate of a copy starts at 0. The model then
            computes the same as before (nearly the same, if its blocks normalize after
            adding). Defaults to `False`.
    """

    name: str
    description: str
    sources: Callable[[int, int, int, int], list[int | None]]
    keeps_rest: bool = True
    release_copies_whole_blocks: bool = False
    carries_all: bool = False
    shares_gates: bool = False


def block_sources(
    method: str, old: int, new: int, top_blocks: int | None = None, cycle: int = 1
) -> list[int | None]:
    """Says which old block each block of the deeper model is copied from.

    Args:
        method: String, a stacking method, in upper or lower case: `"from_scratch"`,
            `"stackA"`, `"stackC"`, `"stackR"` or `"stackE"`; `"copyZero"`,
            `"appendZero"`, `"split"` or `"middle"`.
        old: Integer, the number of blocks of the shallower model.
        new: Integer, the number of blocks of the deeper model, at least `old`.
        top_blocks: Integer, how many of the top blocks to stack. The blocks below keep
            their places, and `new` must be `old + top_blocks`. Defaults to `None`, all
            blocks.
        cycle: Integer, the number of blocks after which the kinds of block repeat.
            Blocks with the same `index % cycle` (the same dilation) are of one kind. A
            new block is a copy of a block of its kind: one of the `top_blocks` if
            possible, otherwise the nearest one below them. If the old model has no
            block of that kind, the top blocks are copied in turn.
            `"stackA"` and `"split"` copy whole cycles, and `"middle"` adds whole
            cycles; if the depths do not allow that, copies go on top as in `"stackC"`.
            Defaults to `1`: all blocks are of one kind.

    Returns:
        A list with an entry for each new block: the index of an old block, or
        `None` for a new random block.

    Raises:
        ArgumentError: If the method is unknown, `new` or `top_blocks` is out of range,
            or `top_blocks` is given for `"from_scratch"`, which keeps no blocks.

    Example:

    >>> block_sources("stackC", 3, 6)
    [0, 1, 2, 0, 1, 2]
    >>> block_sources("stackA", 3, 6)
    [0, 0, 1, 1, 2, 2]
    >>> block_sources("stackA", 4, 8, cycle=2)
    [0, 1, 0, 1, 2, 3, 2, 3]

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """
    _check_depths(old, new, top_blocks, cycle)
    check_top_blocks(method, top_blocks)
    low = 0 if top_blocks is None else old - top_blocks
    return get_method(method).sources(old, new, low, cycle)


def check_top_blocks(method: str, top_blocks: int | None) -> None:
    """Checks that a method keeps the lower blocks, if only the top blocks are
    stacked."""
    if top_blocks is not None and not get_method(method).keeps_rest:
        raise ArgumentError(
            "top_blocks",
            f"keeps the blocks below the top ones, but method={method!r} keeps no "
            "blocks",
            "Leave top_blocks out, or use stackE or stackR.",
            top_blocks,
        )


def check_deeper(name: str, old: int, new: int) -> None:
    """Checks that an argument is at least `old`, the number of blocks of the model."""
    if new < old:
        raise ArgumentError(
            name,
            f"is less than the {old} blocks that the model has, and a model only grows "
            "deeper",
            f"Give a number of at least {old}.",
            new,
        )


def get_method(name: str) -> StackingMethod:
    """Returns the `StackingMethod` with that name, in upper or lower case."""
    method = _METHODS.get(str(name).lower())
    if method is None:
        names = [m.name for m in _METHODS.values()]
        raise ArgumentError(
            "method",
            f"must be one of {', '.join(names)}",
            did_you_mean(str(name), names),
            name,
        )
    return method


def methods() -> list[StackingMethod]:
    """Returns all `StackingMethod`s: those of the StackRec paper, then the others."""
    return list(_METHODS.values())


def _cross(old, new, low, cycle):
    """Repeats blocks in order: StackRec, SIGIR 2021 (https://arxiv.org/abs/2012.07598)."""
    return [*range(low), *(_source(i, low, old, cycle) for i in range(low, new))]


def _adjacent(old, new, low, cycle):
    """Puts copies beside their source: StackRec, SIGIR 2021 (https://arxiv.org/abs/2012.07598)."""
    have, rest = divmod(old - low, cycle)
    want, rest_of_new = divmod(new - low, cycle)
    if rest or rest_of_new:
        # The depths are not whole cycles, so a copy in between would move the blocks
        # above it to positions of a different kind.
        return _cross(old, new, low, cycle)
    return [
        *range(low),
        *(
            low + (i // cycle * have // want) * cycle + i % cycle
            for i in range(new - low)
        ),
    ]


def _random_top(old, new, low, cycle):
    """Adds random blocks on top: StackRec, SIGIR 2021 (https://arxiv.org/abs/2012.07598).
    With gates at 0, new blocks start as the identity: ReZero is All You Need, UAI 2021
    (https://arxiv.org/abs/2003.04887)."""
    return [*range(old)] + [None] * (new - old)


def _middle(old, new, low, cycle):
    """MIDAS: On the Inductive Bias of Stacking Towards Improving Reasoning, NeurIPS
    2024 (https://arxiv.org/abs/2409.19044). The bottom and the top of the model stay,
    and blocks of its middle are repeated in order."""
    size, added = old - low, new - old
    if size < cycle or added % cycle:
        # The old top block would get a position of another kind, or there is less
        # than a cycle of blocks to copy.
        return _cross(old, new, low, cycle)
    run = min(added, size - 2 * cycle) // cycle * cycle
    if run < 1:
        # There is no middle: repeat the last whole cycles, up to the top.
        run = size // cycle * cycle
        return [*range(old), *(old - run + (i - added) % run for i in range(added))]
    first = low + (size - run) // 2 // cycle * cycle
    again = [first + i % run for i in range(added)]
    return [*range(first + run), *again, *range(first + run, old)]


def _split(old, new, low, cycle):
    """Multi-level Residual Networks from Dynamical Systems View, ICLR 2018
    (https://arxiv.org/abs/1710.10348): a residual model is a path in steps, and the
    deeper one takes the same path in shorter steps."""
    return _adjacent(old, new, low, cycle)


def _no_blocks(old, new, low, cycle):
    return [*range(low)] + [None] * (new - low)


def _source(i, low, old, cycle):
    # Blocks of a kind are `cycle` apart. Take the old ones of block i's kind in turn.
    first = low + (i - low) % cycle
    if first >= old and i % cycle < low:
        return range(i % cycle, low, cycle)[-1]
    if first >= old:  # the old model has no block of that kind
        first, cycle = low, 1
    of_kind = range(first, old, cycle)
    return of_kind[(i - first) // cycle % len(of_kind)]


def _check_depths(old, new, top_blocks, cycle):
    check_integers(old=old, new=new, cycle=cycle)
    check_deeper("new", old, new)
    if top_blocks is None:
        return
    check_integers(top_blocks=top_blocks)
    if top_blocks > old:
        raise ArgumentError(
            "top_blocks",
            f"is more than the {counted(old, 'block')} that the model has",
            received=top_blocks,
        )
    if new != old + top_blocks:
        fits = 0 < new - old <= old
        other = f", or stack the top {new - old}" if fits else ""
        raise ArgumentError(
            "top_blocks",
            "must fit the new depth: stacking the top "
            f"{top_blocks} of {counted(old, 'block')} gives {old + top_blocks} blocks, "
            f"not {new}",
            f"Grow to {old + top_blocks} blocks{other}.",
            top_blocks,
        )


_METHODS = {
    method.name.lower(): method
    for method in (
        StackingMethod(
            "from_scratch",
            "a new random model of the new depth; nothing is carried over",
            _no_blocks,
            keeps_rest=False,
        ),
        StackingMethod(
            "stackA", "adjacent: every block is followed by its copy", _adjacent
        ),
        StackingMethod(
            "stackC", "cross: the whole model is put on top of itself", _cross
        ),
        StackingMethod(
            "stackR",
            "random: the model stays, new random blocks go on top",
            _random_top,
            release_copies_whole_blocks=True,
        ),
        StackingMethod(
            "stackE",
            "embedding: all blocks are random, the embedding stays",
            _no_blocks,
        ),
        StackingMethod(
            "copyZero",
            "the model stays whole, its copy goes on top with gates at 0",
            _cross,
            carries_all=True,
        ),
        StackingMethod(
            "appendZero",
            "the model stays whole, random blocks go on top with gates at 0",
            _random_top,
            carries_all=True,
        ),
        StackingMethod(
            "split",
            "every block is followed by its copy, and the two divide the block's gate",
            _split,
            carries_all=True,
            shares_gates=True,
        ),
        StackingMethod(
            "middle",
            "MIDAS: blocks of the middle are repeated, bottom and top stay",
            _middle,
        ),
    )
}

"""Stacking methods: which old block feeds each block of the deeper net."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from stackrec_keras.arguments import check_integer, check_integers


@dataclass(frozen=True)
class StackingMethod:
    """One way to fill the blocks of a deeper net from a shallower one.

    Args:
        name: String, as users type it.
        description: String, one line.
        sources: Function from `(old, new, low, cycle)` to the list of `new`
            sources; the blocks below `low` are not to be stacked.
        keeps_rest: Whether the other weights of the net may be carried over.
        release_copies_whole_blocks: Whether StackRec's release copies the gates
            and norms of a block along with its kernels.
        carries_all: Whether everything is carried over, whatever is to be inherited.
            It takes blocks with gates.
        shares_gates: Whether a block and its copies share its gate, so that together
            they add about what it added. Where they do not, a copy joins with its gate
            at 0, and if all is carried, the net computes what it did; only nearly so
            where blocks normalize after adding.
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
    """Which old block feeds each block of a net grown from `old` to `new` blocks.

    Args:
        method: String, a stacking method's name in any case: `"from_scratch"`,
            `"stackA"`, `"stackC"`, `"stackR"` or `"stackE"`; `"copyZero"`,
            `"appendZero"`, `"split"` or `"middle"`.
        old: Integer, the blocks of the shallower net.
        new: Integer, the blocks of the deeper net, at least `old`.
        top_blocks: Integer or `None`. Stack only the `top_blocks` top blocks;
            the ones below keep their places, and `new` must be
            `old + top_blocks`. Defaults to `None`, all blocks.
        cycle: Integer, after how many blocks the kind of block repeats. Block
            `i` is then fed by a block of its own kind (the same dilation), one
            of `i % cycle`, wherever the old net has one: from the `top_blocks`
            if one is among them, else the nearest below. `"stackA"` and
            `"split"` copy whole cycles, and `"middle"` adds whole cycles; where
            the depths do not allow that, copies go on top as in `"stackC"`.
            Defaults to `1`, a single kind.

    Returns:
        A list with an entry for each new block: the index of an old block, or
        `None` for a new random block.

    Raises:
        ValueError: If the method is unknown, the depths do not fit, or
            `top_blocks` is given for `"from_scratch"`, which keeps no block.

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
    """Raises a ValueError if a method keeps no blocks below the `top_blocks`."""
    if top_blocks is not None and not get_method(method).keeps_rest:
        raise ValueError(
            f"top_blocks={top_blocks} keeps the blocks below the top, and "
            f"method={method!r} keeps none. Leave top_blocks out, or take stackE or "
            "stackR."
        )


def get_method(name: str) -> StackingMethod:
    """Returns the `StackingMethod` of that name, in any case."""
    method = _METHODS.get(str(name).lower())
    if method is None:
        names = [m.name for m in _METHODS.values()]
        close = difflib.get_close_matches(str(name).lower(), _METHODS, n=1)
        hint = f" Did you mean {_METHODS[close[0]].name!r}?" if close else ""
        raise ValueError(
            f"method must be one of {', '.join(names)}. Received: method={name!r}."
            + hint
        )
    return method


def methods() -> list[StackingMethod]:
    """Returns all `StackingMethod`s: the paper's, then those of others."""
    return list(_METHODS.values())


def _cross(old, new, low, cycle):
    """StackRec, SIGIR 2021 (https://arxiv.org/abs/2012.07598)."""
    return [*range(low), *(_source(i, low, old, cycle) for i in range(low, new))]


def _adjacent(old, new, low, cycle):
    """StackRec, SIGIR 2021 (https://arxiv.org/abs/2012.07598)."""
    have, rest = divmod(old - low, cycle)
    want, rest_of_new = divmod(new - low, cycle)
    if rest or rest_of_new:
        # Not whole cycles: in between, a copy would move the blocks above it to
        # other kinds.
        return _cross(old, new, low, cycle)
    return [
        *range(low),
        *(
            low + (i // cycle * have // want) * cycle + i % cycle
            for i in range(new - low)
        ),
    ]


def _random_top(old, new, low, cycle):
    """StackRec, SIGIR 2021; with gates at 0 the identity initialization of ReZero is
    All You Need, UAI 2021 (https://arxiv.org/abs/2003.04887)."""
    return [*range(old)] + [None] * (new - old)


def _middle(old, new, low, cycle):
    """MIDAS: On the Inductive Bias of Stacking Towards Improving Reasoning, NeurIPS
    2024 (https://arxiv.org/abs/2409.19044). The bottom and the top of the net stay;
    blocks of its middle follow each other again."""
    size, added = old - low, new - old
    if size < cycle or added % cycle:
        # The new top is of another kind than the old one, or the only one of its kind.
        return _cross(old, new, low, cycle)
    run = min(added, size - 2 * cycle) // cycle * cycle
    if run < 1:
        # There is no middle: the last whole cycles follow again, to end at the top.
        run = size // cycle * cycle
        return [*range(old), *(old - run + (i - added) % run for i in range(added))]
    first = low + (size - run) // 2 // cycle * cycle
    again = [first + i % run for i in range(added)]
    return [*range(first + run), *again, *range(first + run, old)]


def _split(old, new, low, cycle):
    """Multi-level Residual Networks from Dynamical Systems View, ICLR 2018
    (https://arxiv.org/abs/1710.10348): a residual net is a path in steps, and the
    deeper one takes the same path in shorter steps."""
    return _adjacent(old, new, low, cycle)


def _none(old, new, low, cycle):
    return [*range(low)] + [None] * (new - low)


def _source(i, low, old, cycle):
    # Blocks of one kind stand `cycle` apart; take the old ones of i's kind in turn.
    first = low + (i - low) % cycle
    if first >= old and i % cycle < low:
        return range(i % cycle, low, cycle)[-1]
    if first >= old:  # the old net has none of that kind
        first, cycle = low, 1
    of_kind = range(first, old, cycle)
    return of_kind[(i - first) // cycle % len(of_kind)]


def _check_depths(old, new, top_blocks, cycle):
    check_integers(old=old, new=new, cycle=cycle)
    if new < old:
        raise ValueError(
            f"A net only grows: num_blocks={new} is less than the {old} blocks that "
            f"it has. Give a number of at least {old}."
        )
    if top_blocks is None:
        return
    check_integer("top_blocks", top_blocks)
    if not 1 <= top_blocks <= old:
        raise ValueError(
            f"top_blocks must be between 1 and the {old} blocks that the net has. "
            f"Received: top_blocks={top_blocks}"
        )
    if new != old + top_blocks:
        raise ValueError(
            f"Stacking the top {top_blocks} of {old} blocks gives "
            f"{old + top_blocks} blocks, not {new}. Give num_blocks="
            f"{old + top_blocks}, or top_blocks={new - old}."
        )


_METHODS = {
    method.name.lower(): method
    for method in (
        StackingMethod(
            "from_scratch",
            "a new random net of the new depth; nothing is carried over",
            _none,
            keeps_rest=False,
        ),
        StackingMethod(
            "stackA", "adjacent: every block is followed by its copy", _adjacent
        ),
        StackingMethod(
            "stackC", "cross: the whole net is put on top of itself", _cross
        ),
        StackingMethod(
            "stackR",
            "random: the net stays, new random blocks go on top",
            _random_top,
            release_copies_whole_blocks=True,
        ),
        StackingMethod(
            "stackE", "embedding: all blocks are random, the embedding stays", _none
        ),
        StackingMethod(
            "copyZero",
            "the net stays whole, its copy goes on top with gates at 0",
            _cross,
            carries_all=True,
        ),
        StackingMethod(
            "appendZero",
            "the net stays whole, random blocks go on top with gates at 0",
            _random_top,
            carries_all=True,
        ),
        StackingMethod(
            "split",
            "every block becomes neighbours that share its gate; all else stays",
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

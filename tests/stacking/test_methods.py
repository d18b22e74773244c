from itertools import product

import pytest
from refusals import refused

from stackrec_keras.stacking import Growth, block_sources, methods

CARRY_BLOCKS = [m.name for m in methods() if m.name not in ("from_scratch", "stackE")]


def test_cross_puts_the_model_on_top_of_itself():
    assert block_sources("stackC", 4, 8) == [0, 1, 2, 3, 0, 1, 2, 3]


def test_adjacent_puts_each_copy_after_its_block():
    assert block_sources("stackA", 3, 6) == [0, 0, 1, 1, 2, 2]


def test_random_keeps_the_model_below_new_blocks():
    assert block_sources("stackR", 2, 4) == [0, 1, None, None]


@pytest.mark.parametrize("method", ["from_scratch", "stackE"])
def test_methods_that_carry_no_block(method):
    assert block_sources(method, 2, 4) == [None] * 4


@pytest.mark.parametrize("old, new", [(3, 7), (4, 6), (5, 5), (1, 8)])
def test_off_doubling_the_formulas_hold(old, new):
    assert block_sources("stackC", old, new) == [i % old for i in range(new)]
    assert block_sources("stackA", old, new) == [i * old // new for i in range(new)]


def test_top_blocks_stack_as_in_the_reference_implementation():
    # 18 -> 24 with the top 6, except that its own adjacent mapping loses 15..17.
    assert block_sources("stackC", 18, 24, top_blocks=6) == [*range(18), *range(12, 18)]
    adjacent = [*range(12)] + [i for i in range(12, 18) for _ in range(2)]
    assert block_sources("stackA", 18, 24, top_blocks=6) == adjacent
    assert block_sources("stackR", 18, 24, top_blocks=6) == [*range(18)] + [None] * 6


@pytest.mark.parametrize("cycle", [1, 2, 3, 4])
@pytest.mark.parametrize("method", CARRY_BLOCKS)
def test_at_all_depths_blocks_keep_their_places_order_and_kind(method, cycle):
    for old in range(1, 10):
        for new, top_blocks in _growths(old):
            sources = block_sources(method, old, new, top_blocks, cycle)
            growth = (old, new, top_blocks)
            assert len(sources) == new, growth
            low = 0 if top_blocks is None else old - top_blocks
            assert sources[:low] == [*range(low)], growth
            # Otherwise the model would compute something else with copies' gates at 0.
            found = [s for s in dict.fromkeys(sources) if s is not None]
            assert found == [*range(old)], growth
            for block, source in enumerate(sources):
                known = source is not None and block % cycle < old
                assert not known or source % cycle == block % cycle, growth


def _growths(old):
    yield from ((new, None) for new in range(old, 19))
    yield from ((old + top, top) for top in range(1, old + 1))


@pytest.mark.parametrize(
    "growth, sources",
    [
        # Block 4 is of dilation 1, as blocks 0 and 2 below the top block are.
        (("stackC", 4, 5, 1, 2), [0, 1, 2, 3, 2]),
        (("stackA", 4, 5, 1, 2), [0, 1, 2, 3, 2]),
        (("stackC", 7, 9, 2, 4), [0, 1, 2, 3, 4, 5, 6, 3, 4]),
        (("middle", 5, 8, 3, 4), [0, 1, 2, 3, 4, 1, 2, 3]),
    ],
)
def test_a_kind_that_the_top_blocks_lack_comes_from_the_nearest_below(growth, sources):
    assert block_sources(*growth) == sources


@pytest.mark.parametrize("cycle", [1, 2, 3, 4])
def test_middle_keeps_bottom_and_top_wherever_the_new_top_is_of_the_tops_kind(cycle):
    for old, new in product(range(1, 10), range(1, 19)):
        if new >= old and (new - old) % cycle == 0:
            sources = block_sources("middle", old, new, cycle=cycle)
            assert (sources[0], sources[-1]) == (0, old - 1), (old, new)


def test_adjacent_with_a_cycle_doubles_whole_cycles():
    assert block_sources("stackA", 4, 8, cycle=2) == [0, 1, 0, 1, 2, 3, 2, 3]


def test_a_kind_that_the_old_model_lacks_takes_what_there_is():
    assert block_sources("stackA", 1, 2, cycle=2) == [0, 0]


def test_middle_repeats_the_middle_between_bottom_and_top():
    assert block_sources("middle", 4, 8) == [0, 1, 2, 1, 2, 1, 2, 3]
    assert block_sources("middle", 8, 10) == [0, 1, 2, 3, 4, 3, 4, 5, 6, 7]
    assert block_sources("middle", 6, 10, cycle=2) == [0, 1, 2, 3, 2, 3, 2, 3, 4, 5]
    # Two blocks have no middle but themselves.
    assert block_sources("middle", 2, 4) == [0, 1, 0, 1]
    assert block_sources("middle", 2, 3) == [0, 1, 1]
    assert block_sources("middle", 4, 6, cycle=2) == [0, 1, 2, 3, 2, 3]


def test_methods_of_the_same_function_keep_all_blocks_below():
    assert block_sources("copyZero", 3, 6) == [0, 1, 2, 0, 1, 2]
    assert block_sources("appendZero", 3, 5) == [0, 1, 2, None, None]


def test_split_puts_copies_beside_their_block():
    assert block_sources("split", 3, 6) == [0, 0, 1, 1, 2, 2]


def test_names_in_any_case():
    assert block_sources("STACKa", 2, 4) == block_sources("StackA", 2, 4)


def test_an_unknown_method_is_refused_with_the_known_ones():
    with refused("method", "stackc2", "from_scratch, stackA.*Did you mean 'stackC'"):
        block_sources("stackc2", 2, 4)


def test_a_model_that_would_shrink_is_refused():
    with refused("new", received=2, says="less than the 4 blocks"):
        block_sources("stackC", 4, 2)


@pytest.mark.parametrize(
    "old, new, top_blocks, reason",
    [
        (4, 8, 2, "gives 6 blocks, not 8.*the top 4"),
        (4, 9, 5, "more than the 4 blocks"),
        (4, 4, 0, "at least 1"),
        (2, 3, True, "integer"),
    ],
)
def test_top_blocks_that_do_not_fit_are_refused(old, new, top_blocks, reason):
    with refused("top_blocks", received=top_blocks, says=reason):
        block_sources("stackC", old, new, top_blocks=top_blocks)


def test_stackE_draws_the_top_blocks_and_keeps_the_ones_below():
    assert block_sources("stackE", 4, 6, top_blocks=2) == [0, 1] + [None] * 4


def test_from_scratch_has_no_blocks_to_keep_below_the_top():
    for refuse in (
        lambda: block_sources("from_scratch", 4, 6, top_blocks=2),
        lambda: Growth("from_scratch", top_blocks=2),
    ):
        with refused("top_blocks", received=2, says="'from_scratch' keeps no blocks"):
            refuse()


@pytest.mark.parametrize(
    "argument, value", [("old", 0), ("new", 4.0), ("cycle", 0), ("cycle", None)]
)
def test_numbers_of_the_wrong_kind_are_refused(argument, value):
    with refused(argument, received=value):
        block_sources("stackC", **{"old": 2, "new": 4, argument: value})


def test_every_method_gives_a_source_for_each_new_block():
    for method in methods():
        sources = block_sources(method.name, 3, 6)
        assert len(sources) == 6
        assert all(s is None or 0 <= s < 3 for s in sources)
        assert method.description

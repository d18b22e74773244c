import pytest

from stackrec_keras.stacking import block_sources, methods


def test_cross_puts_the_net_on_top_of_itself():
    assert block_sources("stackC", 4, 8) == [0, 1, 2, 3, 0, 1, 2, 3]


def test_adjacent_puts_each_copy_after_its_block():
    assert block_sources("stackA", 3, 6) == [0, 0, 1, 1, 2, 2]


def test_random_keeps_the_net_below_new_blocks():
    assert block_sources("stackR", 2, 4) == [0, 1, None, None]


@pytest.mark.parametrize("method", ["from_scratch", "stackE"])
def test_methods_that_carry_no_block(method):
    assert block_sources(method, 2, 4) == [None] * 4


@pytest.mark.parametrize("old, new", [(3, 7), (4, 6), (5, 5), (1, 8)])
def test_off_doubling_the_formulas_hold(old, new):
    assert block_sources("stackC", old, new) == [i % old for i in range(new)]
    assert block_sources("stackA", old, new) == [i * old // new for i in range(new)]


def test_top_blocks_stack_as_in_the_releases_scripts():
    # 18 -> 24 with the top 6; the release's own adjacent mapping loses 15..17.
    assert block_sources("stackC", 18, 24, top_blocks=6) == [*range(18), *range(12, 18)]
    adjacent = [*range(12)] + [i for i in range(12, 18) for _ in range(2)]
    assert block_sources("stackA", 18, 24, top_blocks=6) == adjacent
    assert block_sources("stackR", 18, 24, top_blocks=6) == [*range(18)] + [None] * 6


@pytest.mark.parametrize("method", ["stackA", "stackC", "copyZero", "split", "middle"])
@pytest.mark.parametrize(
    "old, new, cycle", [(4, 8, 2), (6, 9, 3), (3, 5, 2), (5, 11, 4)]
)
def test_with_a_cycle_every_block_comes_from_one_of_its_kind(method, old, new, cycle):
    sources = block_sources(method, old, new, cycle=cycle)
    assert [s % cycle for s in sources] == [i % cycle for i in range(new)]
    assert set(sources) == set(range(old))


def test_adjacent_with_a_cycle_doubles_whole_cycles():
    assert block_sources("stackA", 4, 8, cycle=2) == [0, 1, 0, 1, 2, 3, 2, 3]


@pytest.mark.parametrize("old, new", [(4, 8), (4, 5), (5, 6), (3, 7), (6, 8)])
def test_with_a_cycle_blocks_that_stay_keep_their_order(old, new):
    # Else the net would not compute what it did, even with the copies' gates at 0.
    for method in ("stackA", "stackC", "copyZero", "split", "middle"):
        sources = block_sources(method, old, new, cycle=2)
        first = [s for i, s in enumerate(sources) if s not in sources[:i]]
        assert first == list(range(old))


def test_a_kind_that_the_old_net_has_not_takes_what_there_is():
    assert block_sources("stackA", 1, 2, cycle=2) == [0, 0]


def test_middle_repeats_the_middle_between_bottom_and_top():
    assert block_sources("middle", 4, 8) == [0, 1, 2, 1, 2, 1, 2, 3]
    assert block_sources("middle", 8, 10) == [0, 1, 2, 3, 4, 3, 4, 5, 6, 7]
    assert block_sources("middle", 6, 10, cycle=2) == [0, 1, 2, 3, 2, 3, 2, 3, 4, 5]
    # Two blocks have no middle but themselves.
    assert block_sources("middle", 2, 4) == [0, 1, 0, 1]


def test_methods_of_the_same_function_keep_all_blocks_below():
    assert block_sources("copyZero", 3, 6) == [0, 1, 2, 0, 1, 2]
    assert block_sources("appendZero", 3, 5) == [0, 1, 2, None, None]


def test_split_puts_copies_beside_their_block():
    assert block_sources("split", 3, 6) == [0, 0, 1, 1, 2, 2]


def test_names_in_any_case():
    assert block_sources("STACKa", 2, 4) == block_sources("StackA", 2, 4)


def test_an_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="from_scratch, stackA.*Did you mean 'stackC'"):
        block_sources("stackc2", 2, 4)


def test_a_net_that_would_shrink_is_refused():
    with pytest.raises(ValueError, match="num_blocks=2 is less than the 4 blocks"):
        block_sources("stackC", 4, 2)


@pytest.mark.parametrize(
    "old, new, top_blocks, message",
    [
        (4, 8, 2, "gives 6 blocks, not 8"),
        (4, 9, 5, "top_blocks must be between 1 and the 4"),
        (4, 4, 0, "top_blocks must be between 1 and the 4"),
    ],
)
def test_top_blocks_that_do_not_fit_are_refused(old, new, top_blocks, message):
    with pytest.raises(ValueError, match=message):
        block_sources("stackC", old, new, top_blocks=top_blocks)


def test_every_method_gives_a_source_for_each_new_block():
    for method in methods():
        sources = block_sources(method.name, 3, 6)
        assert len(sources) == 6
        assert all(s is None or 0 <= s < 3 for s in sources)
        assert method.description

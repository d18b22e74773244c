from stackrec_keras.evaluation.markdown import markdown_table


def test_a_table_has_a_line_for_each_row():
    assert markdown_table([["", "a"], ["first", "1"]]) == (
        "|       | a |\n|-------|--:|\n| first | 1 |"
    )


def test_a_wide_table_is_cut_between_columns_and_repeats_the_first():
    table = markdown_table([["", "a", "bb", "c"], ["row", "1", "22", "3"]], width=16)
    assert table == (
        "|     | a | bb |\n|-----|--:|---:|\n| row | 1 | 22 |\n\n"
        "|     | c |\n|-----|--:|\n| row | 3 |"
    )


def test_a_column_that_never_fits_is_shown_nevertheless():
    assert markdown_table([["x", "a" * 30]], width=10).startswith("| x | aaa")

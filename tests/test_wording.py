from stackrec_keras.wording import agreeing, counted


def test_one_is_singular_and_all_else_plural():
    found = [counted(n, "row") for n in (0, 1, 2000)]
    assert found == ["0 rows", "1 row", "2,000 rows"]
    assert counted(1, "history", "histories") == "1 history"
    assert counted(2, "history", "histories") == "2 histories"
    assert [agreeing(n, "was", "were") for n in (0, 1, 2)] == ["were", "was", "were"]

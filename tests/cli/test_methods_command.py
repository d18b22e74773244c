from stackrec_keras.stacking import methods


def test_every_method_is_listed_with_an_example(stackrec):
    code, out, _ = stackrec("methods")
    assert code == 0 and out.startswith("4 -> 8 blocks")
    for method in methods():
        assert f"\n{method.name}\n    {method.description}\n" in out
    assert "stackR" in out and "    0 1 2 3 - - - -\n" in out
    assert "    0 0 1 1 2 2 3 3\n" in out


def test_other_depths_can_be_asked_for(stackrec):
    code, out, _ = stackrec(
        "methods", "--old", 18, "--new", 24, "--top-blocks", 6, "--cycle", 1
    )
    assert code == 0
    assert f"    {' '.join(map(str, [*range(18), *range(12, 18)]))}\n" in out
    assert "    keeps no blocks, so --top-blocks does not apply\n" in out


def test_depths_that_do_not_fit_are_an_error(stackrec):
    code, _, error = stackrec("methods", "--old", 4, "--new", 2)
    assert code == 2 and "a model only grows deeper" in error

import pytest

pytest.importorskip("huggingface_hub")


def test_a_published_run_recommends_like_the_run(finished_run, stackrec, tmp_path):
    out = tmp_path / "films"
    code, printed, _ = stackrec(
        "publish", finished_run, "--out", out, "--license", "mit"
    )
    assert code == 0
    assert printed == f"Wrote {out}. To upload it: hf upload USER/films {out}\n"
    assert "license: mit" in (out / "README.md").read_text()
    asked = ("--items", "film 1", "--json")
    assert stackrec("recommend", out, *asked) == stackrec(
        "recommend", finished_run, *asked
    )
    code, _, err = stackrec("recommend", out, "--user", "1")
    assert code == 2 and "--user 1 needs a run folder" in err


def test_mistakes_are_told(finished_run, stackrec, tmp_path):
    (tmp_path / "mine").write_text("")
    code, _, err = stackrec("publish", finished_run, "--out", tmp_path)
    assert code == 2 and f"--out {tmp_path} is not empty" in err
    code, _, err = stackrec("recommend", "hf://films", "--items", "film 1")
    assert code == 2 and "must be hf://USER/NAME" in err

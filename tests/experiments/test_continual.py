import json

import pytest

STAGES = "--stages 1,2 --epochs 2 --data-ratio 0.5"


def read(path):
    return json.loads(path.read_text())


def test_the_stacked_net_begins_on_the_oldest_rows_and_is_tested_on_the_newest(
    tmp_path, log_path, stackrec, scenario_arguments
):
    command = scenario_arguments("cl", log_path, tmp_path, f"{STAGES} --share-by time")
    code, out, err = stackrec(*command)
    assert code == 0, err
    stacked = read(tmp_path / "seed-0" / "stacked" / "history.json")
    assert stacked["num_blocks"] == [1, 2]
    assert stacked["data_share"] == [0.5, 1.0]
    trained_on = read(tmp_path / "seed-0" / "shallow-trained-on" / "history.json")
    assert set(trained_on["num_blocks"]) == {1}
    assert trained_on["data_share"][:2] == [0.5, 1.0]
    assert trained_on["loss"][0] == stacked["loss"][0]
    folders = ("stacked", "from-scratch", "shallow-as-long", "shallow-trained-on")
    for name in folders:
        run = tmp_path / "seed-0" / name
        assert read(run / "split.json")["kind"] == "time"
        assert read(run / "config.json")["share_by"] == "time"
    scratch = read(tmp_path / "seed-0" / "from-scratch" / "history.json")
    assert "data_share" not in scratch and scratch["num_blocks"] == [2, 2]
    table = (tmp_path / "scenario.md").read_text()
    assert "1 on 50%: " in table and " + 2: " in table


@pytest.mark.parametrize(
    "options, message",
    [
        ("--data-ratio 1", "--data-ratio 1.0 must increase, and be above 0 and"),
        ("--data-ratio 0.5,0.4", "--data-ratio 0.5,0.4 must increase"),
        (
            "--data-ratio 0.5 --stages 1,2,3",
            "must have a fraction for each stage except",
        ),
        (
            "--share-by time --split random",
            "--share-by time with the random split",
        ),
        ("--share-by time --sequences", "--share-by time needs times"),
    ],
)
def test_shares_that_do_not_fit_are_refused_by_name(
    options, message, tmp_path, log_path, stackrec, scenario_arguments
):
    out = tmp_path / "out"
    code, _, err = stackrec(*scenario_arguments("cl", log_path, out, options))
    assert code == 2 and message in err
    assert not out.exists()

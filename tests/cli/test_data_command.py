import json

from stackrec_keras.data.named import DATA_SETS


def test_the_named_data_sets_and_the_forms_of_files_are_listed(stackrec):
    code, out, _ = stackrec("data")
    assert code == 0
    for name in (*DATA_SETS, ".csv .tsv", ".dat", ".parquet", "--sequences"):
        assert f"\n  {name} " in out


def test_a_log_is_described(log_path, stackrec):
    code, out, _ = stackrec("data", log_path)
    assert code == 0
    found = dict(line.strip().split("  ", 1) for line in out.splitlines())
    found = {name: text.strip() for name, text in found.items()}
    assert found["users"] == "40"
    assert found["items"] == "14"
    assert found["events"] == "680"
    assert found["time"] == "1600000000 (2020-09-13) to 1600057600 (2020-09-14)"
    assert "median 17" in found["events a user"]


def test_density_is_the_share_of_pairs_that_occur(tmp_path, stackrec):
    path = tmp_path / "log.csv"
    events = ["a,x,1", "a,x,2", "a,y,3", "a,x,4", "b,x,1", "b,z,2", "b,z,3"]
    path.write_text("\n".join(["user,item,timestamp", *events]))
    code, out, err = stackrec("data", path, "--split", "leave-one-out")
    assert (code, err) == (0, "")
    # 4 of the 2 x 3 pairs, though there are 7 events.
    assert "density        66.667%" in out


def test_the_rows_and_the_hash_are_those_that_training_would_have(
    finished_run, log_path, stackrec
):
    split = json.loads((finished_run / "split.json").read_text())
    _, out, _ = stackrec("data", log_path, "--length", "8")
    assert f"hash         {split['hash']}\n" in out
    assert f"train        {split['rows']['train']}\n" in out
    _, out, _ = stackrec("data", log_path, "--length", "8", "--split-seed", "1")
    assert split["hash"] not in out


def test_a_file_of_sequences_is_described(tmp_path, stackrec):
    path = tmp_path / "sequences.csv"
    path.write_text("\n".join("1,2,3" for _ in range(20)))
    code, out, _ = stackrec("data", path, "--sequences", "--length", "3")
    assert code == 0
    assert "train       14\n" in out


def test_other_columns_have_to_be_named(tmp_path, stackrec):
    path = tmp_path / "log.tsv"
    rows = [f"{u}\t{i}\t{i}" for u in range(9) for i in range(9)]
    path.write_text("\n".join(["session\tarticle\tat", *rows]))
    code, _, err = stackrec("data", path)
    assert code == 2
    assert "--user user is not a column" in err
    names = ["--user", "session", "--item", "article", "--timestamp", "none"]
    assert stackrec("data", path, *names)[0] == 0


def test_a_file_without_a_header_is_read_as_the_error_says(tmp_path, stackrec):
    path = tmp_path / "ratings.csv"
    path.write_text("".join(f"A{u},B{i},5.0,{i}\n" for u in range(9) for i in range(9)))
    code, _, err = stackrec("data", path)
    assert code == 2
    options = ["--user", "0", "--item", "1", "--timestamp", "3"]
    assert " ".join(options) in err
    code, out, _ = stackrec("data", path, "--length", "3", *options)
    assert code == 0
    found = dict(line.strip().split("  ", 1) for line in out.splitlines())
    assert found["events"].strip() == "81"


def test_a_header_of_numbers_is_named_by_them(tmp_path, stackrec):
    path = tmp_path / "ratings.csv"
    rows = [f"{u},{i},{i}" for u in range(9) for i in range(9)]
    path.write_text("\n".join(["0,1,2", *rows]))
    options = ["--user", "0", "--item", "1", "--timestamp", "2", "--length", "3"]
    code, out, _ = stackrec("data", path, *options)
    assert code == 0
    assert "events         81\n" in out


def test_the_items_of_a_leave_one_out_split_and_its_ties_are_shown(tmp_path, stackrec):
    path = tmp_path / "log.csv"
    events = ["a,x,1", "a,y,2", "a,x,3", "a,z,4", "b,x,1", "b,y,2", "b,x,2"]
    path.write_text("\n".join(["user,item,timestamp", *events]))
    options = ("--split", "leave-one-out", "--min-count", "2", "--newest-only")
    code, out, _ = stackrec("data", path, *options)
    assert code == 2  # 'b' has 3 events, 'a' too: one is left to train on
    path.write_text("\n".join(["user,item,timestamp", "b,y,0", "b,x,1", *events]))
    code, out, _ = stackrec("data", path, *options)
    assert code == 0
    assert "  items         2\n" in out
    assert "  ties          events of one user at the same time keep the order" in out
    assert "  test targets  1 have the same time as the event before\n" in out

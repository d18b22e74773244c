import csv
import json

import keras
import numpy as np
import pytest

from stackrec_keras import data
from stackrec_keras.runs.config import TrainConfig
from stackrec_keras.runs.training import announce


def read(path):
    return json.loads(path.read_text())


def split_of(log_path):
    log = data.read_interactions(log_path)
    vocabulary = data.Vocabulary.from_items(log["item"])
    return data.split_random(data.make_windows(log, vocabulary, 8))


def test_a_run_folder_holds_model_history_curve_table_and_configuration(finished_run):
    assert {path.name for path in finished_run.iterdir()} == {
        "config.json",
        "environment.json",
        "history.csv",
        "history.json",
        "learning_curve.png",
        "metrics.json",
        "metrics.md",
        "model.keras",
        "split.json",
    }


def test_the_history_shows_the_growths_and_is_the_same_as_csv_and_json(finished_run):
    history = read(finished_run / "history.json")
    assert history["epoch"] == [0, 1, 2, 3]
    assert history["num_blocks"] == [1, 2, 4, 4]
    assert history["growth_seconds"][0] == 0 < history["growth_seconds"][1]
    assert min(history["seconds"]) > 0
    with open(finished_run / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {name: [float(row[name]) for row in rows] for name in rows[0]} == history


def test_the_model_file_loads_with_raw_ids_and_the_counts_of_training(
    finished_run, log_path
):
    model = keras.saving.load_model(finished_run / "model.keras")
    split = split_of(log_path)
    assert model.num_blocks == 4
    assert list(model.vocabulary.ids) == list(split.vocabulary.ids)
    in_training = split.train.items[split.train.items > 0]
    assert list(model.vocabulary.counts) == list(np.bincount(in_training)[1:])


def test_the_learning_curve_is_a_picture_that_is_not_empty(finished_run):
    from matplotlib.image import imread

    pixels = imread(finished_run / "learning_curve.png")
    assert pixels.shape[:2] == (500, 800)
    assert pixels[..., :3].std() > 0.05


def test_the_final_table_is_of_the_test_rows_and_beats_popularity(
    finished_run, log_path
):
    metrics = read(finished_run / "metrics.json")
    split = split_of(log_path)
    assert metrics["rows"] == len(split.test)
    assert metrics["split"] == split.hash
    model = keras.saving.load_model(finished_run / "model.keras")
    x, y = split.test.evaluation_arrays()
    expected = model.evaluate(x, y, verbose=0, return_dict=True)
    found = metrics["results"]["NextItNet, 4 blocks"]
    assert list(found) == ["mrr@5", "hit_rate@5", "ndcg@5", "mrr@10", "hit_rate@10"] + [
        "ndcg@10"
    ]
    for name, value in found.items():
        assert value == pytest.approx(expected[name], rel=1e-5)
    assert found["mrr@5"] > 1.2 * metrics["results"]["popularity"]["mrr@5"]
    table = (finished_run / "metrics.md").read_text()
    assert f"| {found['mrr@5']:.4f} |" in table.replace("|  ", "| ")
    assert f"{len(split.test)} held-out rows · split {split.hash} · training" in table


def test_the_configuration_and_the_environment_are_written_down(finished_run, log_path):
    config = read(finished_run / "config.json")
    assert config["data"] == str(log_path)
    assert (config["length"], config["dilations"]) == (8, [1, 4])
    environment = read(finished_run / "environment.json")
    assert environment["backend"] == keras.backend.backend()
    assert environment["keras"] == keras.__version__
    assert environment["backend_version"]


def test_options_reach_the_model_and_its_training(
    tmp_path, log_path, stackrec, train_arguments
):
    out = tmp_path / "run"
    more = "--epochs 2 --schedule 1:3 --method stackR --top-blocks 1 --num-blocks 2 "
    more += (
        "--dilations 1,2,4 "
        "--kernel-size 2 --learning-rate 0.003 --loss gbce --jit off --seed 3"
    )
    code, printed, err = stackrec(*train_arguments(log_path, out, more))
    assert (code, err) == (0, "")
    assert "stackR: 3 blocks from epoch 1" in printed
    model = keras.saving.load_model(out / "model.keras")
    config = model.get_config()
    assert (config["num_blocks"], config["embedding_dim"]) == (3, 8)
    assert (config["dilations"], config["kernel_size"]) == ([1, 2, 4], 2)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.003)
    assert type(model.loss).__name__ == "GBCE"
    assert model.jit_compile is False


def test_the_learning_rate_falls_at_the_end(
    tmp_path, log_path, stackrec, train_arguments
):
    out = tmp_path / "run"
    more = "--epochs 2 --schedule none --learning-rate 0.01 --warmup 0.1 --decay 0.5"
    assert stackrec(*train_arguments(log_path, out, more))[0] == 0
    model = keras.saving.load_model(out / "model.keras")
    schedule = model.optimizer._learning_rate
    assert (schedule.warmup, schedule.decay) == (0.1, 0.5)
    assert schedule.fit_steps == int(model.optimizer.iterations)
    assert float(model.optimizer.learning_rate) == 0


def test_a_run_without_growth_keeps_its_depth(
    tmp_path, log_path, stackrec, train_arguments
):
    out = tmp_path / "run"
    arguments = train_arguments(log_path, out, "--epochs 1 --schedule none")
    code, printed, _ = stackrec(*arguments, "--split", "leave-one-out")
    assert code == 0
    assert "no growth\n80 training rows, 10 steps per epoch\n" in printed
    assert read(out / "history.json")["num_blocks"] == [1]
    assert read(out / "split.json")["rows"]["test"] == 40


def test_a_run_looks_ahead_and_says_so(tmp_path, log_path, stackrec, train_arguments):
    out = tmp_path / "run"
    more = "--epochs 6 --schedule look_ahead"
    code, printed, _ = stackrec(*train_arguments(log_path, out, more))
    assert code == 0
    assert "as long as a trial of more blocks lowers val_loss" in printed
    assert read(out / "history.json")["num_blocks"][:4] == [1, 1, 1, 2]
    assert "blocks changed the best val_loss by" in printed


def test_a_file_with_a_sequence_a_row_trains(tmp_path, stackrec, train_arguments):
    path = tmp_path / "sequences.csv"
    rows = [[0, 0] + [(start + 3 * i) % 9 + 1 for i in range(6)] for start in range(60)]
    path.write_text("\n".join(",".join(map(str, row)) for row in rows))
    arguments = train_arguments(path, tmp_path / "run", "--epochs 1 --schedule none")
    assert stackrec(*arguments, "--sequences")[0] == 0
    assert read(tmp_path / "run" / "split.json")["num_items"] == 9
    found = stackrec(
        "recommend", tmp_path / "run", "--user", "1", "--k", "3", "--json"
    )[1]
    assert json.loads(found)["history"] == [2, 5, 8, 2, 5, 8]
    code, _, err = stackrec(*arguments, "--sequences", "--split", "time", "--overwrite")
    assert code == 2
    assert "--split time needs users and times" in err


def test_a_folder_that_holds_a_run_is_not_trained_into(
    finished_run, log_path, stackrec, train_arguments
):
    before = (finished_run / "model.keras").stat().st_mtime_ns
    code, out, err = stackrec(*train_arguments("no-such.csv", finished_run))
    assert (code, out) == (2, "")
    assert "already holds a run" in err
    assert "Continue it (--resume), replace it (--overwrite)" in err
    # Not even a failing --overwrite harms it.
    arguments = train_arguments("no-such.csv", finished_run, "--overwrite")
    assert stackrec(*arguments)[0] == 2
    more = "--overwrite --top-blocks 3 --schedule 2:8 --epochs 4"
    code, _, err = stackrec(*train_arguments(log_path, finished_run, more))
    assert code == 2 and "--top-blocks" in err
    assert (finished_run / "model.keras").stat().st_mtime_ns == before


def test_a_folder_within_a_file_is_refused_before_the_log_is_read(tmp_path, stackrec):
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "run"
    code, _, err = stackrec("train", "--out", out, "--data", "no-such.csv")
    assert code == 2 and f"would lie in {tmp_path / 'file'}, which is a file" in err


def test_overwrite_replaces_the_run_and_no_other_file(
    tmp_path, log_path, stackrec, train_arguments
):
    out = tmp_path / "run"
    more = "--epochs 1 --schedule none"
    assert stackrec(*train_arguments(log_path, out, more))[0] == 0
    (out / "notes.txt").write_text("mine")
    more = "--epochs 2 --schedule none --overwrite"
    assert stackrec(*train_arguments(log_path, out, more))[0] == 0
    assert read(out / "history.json")["epoch"] == [0, 1]
    assert (out / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("--schedule 2-8", "--schedule 2-8 must be 'doubling', 'plateau'"),
        ("--schedule 10:8", "no growth step left"),
        ("--schedule 2:8,2:16", "--schedule 2:8,2:16 has an epoch twice"),
        (
            "--schedule plateau --num-blocks 64",
            "--num-blocks 64 is too deep for the schedule 'plateau'",
        ),
        (
            "--schedule look_ahead --patience 4",
            "--patience 4 may end the run in a trial",
        ),
        (
            "--schedule look_ahead --patience 5 --best-of deepest",
            "--best-of deepest does not suit the schedule 'look_ahead'",
        ),
        ("--epochs 2", "too few for"),
        ("--method stakC", "Did you mean 'stackC'?"),
        ("--epochs 0", "--epochs 0 must be an integer of at least 1"),
        ("--length 1", "--length 1 must be an integer of at least 2"),
        ("--learning-rate 0", "--learning-rate 0.0 must be above 0"),
        ("--dilations 0,4", "--dilations 0,4 must be integers of at least 1"),
        ("--item film", "film"),
        ("--data no-such.csv", "no-such.csv"),
        ("--data-shares 0:1", "--data-shares 0:1 needs a schedule of epochs"),
        (
            "--schedule 1:2 --data-shares 1",
            "--data-shares 1 must be pairs of",
        ),
        (
            "--schedule 1:2 --data-shares 1:1",
            "--data-shares 1:1 must give the fraction for epoch 0. Give pairs of epoch "
            "and fraction",
        ),
        ("--share-by time", "no fractions are given. Give data shares, such"),
        (
            "--schedule 1:2 --data-shares 0:0.5,1:1 --share-by time",
            "--share-by time with the random split would train on the future and test "
            "on the past. Use the time split",
        ),
        (
            "--schedule none --method stackR",
            "--method stackR says how the model grows, but with the schedule 'none'",
        ),
        ("--schedule none --top-blocks 1", "--top-blocks 1 says how the model grows"),
        ("--decay 1.5", "--decay 1.5 must be a number from 0 to below 1"),
        ("--decay 0.6 --warmup 0.6", "--decay 0.6 and warmup=0.6 add up to more"),
        ("--decay 0.2 --max-seconds 9", "--decay 0.2 is a fraction of all steps"),
        ("--best-of deepest", "Give a patience, such as 5, or leave it out"),
        ("--data ml-2m", "--data ml-2m is neither a file nor a named data set"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_written(
    more, message, tmp_path, log_path, stackrec, train_arguments
):
    code, _, err = stackrec(*train_arguments(log_path, tmp_path / "run", more))
    assert code == 2
    assert message in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "rows, batch_size, steps, fitting",
    [
        (96, 9, 11, 8),
        (96, 8, 12, None),  # no smaller one would help
        (799, 64, 13, 8),
        (800, 64, 13, 16),  # 50 steps
        (800, 42, 20, None),  # steps enough
        (5000, 256, 20, None),
        (4864, 256, 19, 64),
    ],
)
def test_few_steps_an_epoch_are_announced_with_a_batch_size_that_fits(
    rows, batch_size, steps, fitting, make_model, capsys
):
    model = make_model(compiled=False)
    model.build((None, 8))
    announce(TrainConfig(batch_size=batch_size), None, model, rows)
    _, counted, *hint = capsys.readouterr().out.splitlines()
    assert counted == f"{rows:,} training rows, {steps} steps per epoch"
    expected = (
        "With so few steps the model learns little. Use a smaller batch size (now "
        f"{batch_size}), such as {fitting}, or more epochs."
    )
    assert hint == ([] if fitting is None else [expected])

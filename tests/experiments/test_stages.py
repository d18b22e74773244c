import pytest

from stackrec_keras.experiments.stages import (
    Release,
    StageOptions,
    Stages,
    read_stages,
    scaled_batch_size,
)
from stackrec_keras.runs.config import TrainConfig

TS = Release(blocks=8, count=3, ratio=2, epochs=28)
CL = Release(blocks=18, count=2, ratio=1, epochs=28, top_blocks=6)


def stages(model="nextitnet", scale=0.5, release=TS, data_shares=(), **typed):
    return read_stages(StageOptions(scale=scale, **typed), model, release, data_shares)


def test_at_scale_1_the_depths_are_the_releases_and_a_scale_shrinks_them():
    assert stages(scale=1) == Stages((8, 16, 32), (1, 2, 4), 28)
    assert stages() == Stages((4, 8, 16), (1, 2, 4), 14)
    assert stages(scale=0.01) == Stages((1, 2, 4), (1, 2, 4), 3)


def test_the_batch_size_is_the_releases_for_each_model_scaled():
    sizes = {
        model: scaled_batch_size(StageOptions(scale=0.5), model)
        for model in ("nextitnet", "grec", "sasrec", "ssept")
    }
    assert sizes == {"nextitnet": 128, "grec": 512, "sasrec": 128, "ssept": 64}
    assert scaled_batch_size(StageOptions(scale=0.5, batch_size=7), "grec") == 7


def test_what_is_typed_goes_before_the_scale():
    assert stages(num_blocks=3).depths == (3, 6, 12)
    assert stages(dilation_count=3).depths == (6, 12, 24)
    assert stages(num_blocks=6, top_blocks=2).depths == (6, 8, 10)
    assert stages(shares=(1, 1), num_blocks=2).depths == (2, 4)
    assert stages(stages=(2, 3, 5, 9)).shares == (1, 2, 4, 8)
    assert stages(epochs=5).epochs == 5


@pytest.mark.parametrize(
    "options, message",
    [
        ("--scale 0", "--scale 0.0 must be above 0"),
        ("--stages 4", "--stages 4 must be at least two depths"),
        ("--stages 4,4", "--stages 4,4 must be at least two depths"),
        ("--stages 0,4", "--stages 0,4 must begin with at least one block"),
        (
            "--stages 1,2 --shares 1,2,3",
            "--shares 1,2,3 must have an integer",
        ),
        ("--shares 1,0", "--shares 1,0 must have an integer of at least 1"),
        (
            "--epochs 2",
            "--epochs 2 must be at least one for each stage",
        ),
        ("--num-blocks 0", "--num-blocks 0 must be an integer of at least 1"),
        ("--dilation-count 0", "--dilation-count 0 must be an integer of at least 1"),
        (
            "--num-blocks 2 --dilation-count 1",
            "and so does dilation_count. Give one",
        ),
        ("--stages 1,2 --num-blocks 2", "and so does num_blocks. Give one of them"),
        (
            "--model sasrec --dilation-count 2",
            "model is sasrec. Give the number of",
        ),
        (
            "--num-blocks 2 --top-blocks 3",
            "--top-blocks 3 does not fit stages of 2,5,8",
        ),
        (
            "--stages 4,6,9 --top-blocks 2",
            "--top-blocks 2 does not fit stages of 4,6,9",
        ),
        ("--data no-such.csv --method stakC", "Did you mean 'stackC'?"),
        ("--seeds 0 0", "--seeds 0 0 must be different integers"),
        ("--seeds -1", "--seeds -1 must be different integers of at least 0"),
        ("--model sasrec --kernel-size 2", "--kernel-size 2 is an option of nextitnet"),
    ],
)
def test_options_that_do_not_fit_are_refused_by_name(
    options, message, tmp_path, log_path, stackrec, scenario_arguments
):
    out = tmp_path / "out"
    code, _, err = stackrec(*scenario_arguments("ts", log_path, out, options))
    assert code == 2 and message in err
    assert not out.exists()


def test_stages_are_a_schedule_and_a_loaded_model_is_the_first_of_them():
    grown = stages().of(TrainConfig())
    assert (grown.num_blocks, grown.schedule, grown.epochs) == (4, "2:8,6:16", 14)
    grown = stages().of(TrainConfig(load_model="runs/shallow"))
    assert (grown.num_blocks, grown.schedule, grown.epochs) == (4, "0:8,4:16", 12)
    deep = stages().deep(TrainConfig(load_model="runs/shallow"))
    assert (deep.num_blocks, deep.schedule, deep.epochs) == (16, "none", 14)
    assert deep.load_model is None


def test_stages_with_a_share_of_the_rows_each():
    found = stages("sasrec", release=CL, data_shares=(0.8, 1.0))
    assert (found.depths, found.shares, found.top_blocks) == ((9, 12), (1, 1), 3)
    grown = found.of(TrainConfig(model="sasrec"))
    assert (grown.schedule, grown.data_shares) == ("7:12", "0:0.8,7:1.0")
    assert grown.top_blocks == 3
    assert found.of(TrainConfig(method="from_scratch")).top_blocks is None
    later = found.of(TrainConfig(load_model="runs/shallow"))
    assert (later.schedule, later.data_shares) == ("0:12", "0:1.0")
    three = stages(data_shares=(0.4, 0.6, 1.0), release=CL, scale=1)
    assert three.depths == (18, 24, 30)

"""The table of the benchmark of depth."""

import json

import synthetic_depth


def finished(key, losses, seconds):
    curves = {
        "val_loss": losses,
        "seconds": [99.0, seconds - 0.5, seconds, seconds + 0.5],
    }
    results = {"hit_rate@1": 0.4, "mrr@5": 0.5, "val_loss": losses[-1]}
    return (
        dict(zip(synthetic_depth.KEY, key)) | results | {"curves": json.dumps(curves)}
    )


def test_the_table_has_each_model_at_its_best_rate_and_the_growth_bounds(tmp_path):
    path = tmp_path / "depth.csv"
    for key, losses, seconds in [
        (("scratch", 1, 1, 0.0, 0.01, 4, 0), [2, 1, 1, 1], 1.0),
        (("scratch", 1, 1, 0.0, 0.02, 4, 0), [9, 9, 9, 9], 1.0),
        (("scratch", 4, 4, 0.0, 0.02, 4, 0), [2, 2, 2, 0.5], 3.0),
        (("gates copied", 1, 4, 0.5, 0.02, 4, 0), [2, 1, 1, 0.6], 3.0),
    ]:
        row = finished(key, losses, seconds)
        synthetic_depth.append(path, row)
    last = synthetic_depth.rows_in(path)[-1]
    assert synthetic_depth.key_in(last) == ("gates copied", 1, 4, 0.5, 0.02, 4, 0)
    lines = synthetic_depth.table(path).split("\n")
    assert lines[2].startswith("| 1 block | 0.01 | 1 | 0.452 | 0.400 |")
    assert lines[3].endswith("| 0.500 | 0.500 | 12 |")
    # Two epochs of 1 block and two of 4 blocks: 2 * 1 + 2 * 3 seconds.
    assert lines[4].startswith("| 1 -> 4 after 2 epochs, gates copied |")
    assert lines[4].endswith("| 0.600 | 8 |")
    # 1 block is after 1 second where 4 blocks are after 9 of their 12 seconds.
    assert lines[-1] == "Growth bound, 1 -> 4 blocks: 3.00"


def test_depth_16_can_predict_everything():
    limits = [synthetic_depth.limit(3 * blocks, [1]) for blocks in (1, 2, 4, 8, 16)]
    assert min(b - a for a, b in zip(limits, limits[1:])) > 0.1
    assert limits[-1] == 1

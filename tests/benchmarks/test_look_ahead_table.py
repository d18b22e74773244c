import json

import look_ahead


def row(arm, depths, ndcg, rate="0.005", val_loss=1.0):
    seconds = [9.0, *[float(depth) for depth in depths[1:]]]  # the first one compiles
    return {
        **{"job": "walks", "arm": arm, "rate": rate, "seed": "0"},
        **{"blocks": str(depths[-1]), "val_loss": str(val_loss), "mrr@5": "0.5"},
        **{"ndcg@10": str(ndcg), "depths": json.dumps(depths)},
        "seconds": json.dumps(seconds),
    }


def test_the_table_has_regret_and_cost_at_each_arms_best_rate():
    rows = [
        row("1", [1] * 4, 0.5),
        row("2", [2] * 4, 0.8),
        row("2", [2] * 4, 0.9, rate="0.001", val_loss=2.0),
        row("split", [1, 1, 2, 2], 0.76),
    ]
    lines = look_ahead.table(rows).splitlines()[2:]
    # The whole grid takes 4 epochs of 1 s and 4 of 2 s, the autopilot 2 of each.
    assert lines == [
        "| walks | 1 | 0.005 | 1 | 1 | 0.5000 | 0.5000 | +37.5% | 0.33 |",
        "| walks | 2 | 0.005 | 1 | 2 | 0.8000 | 0.5000 | +0.0% | 0.67 |",
        "| walks | split | 0.005 | 1 | 2 | 0.7600 | 0.5000 | +5.0% | 0.50 |",
    ]

import json

import numpy as np
import pytest

from stackrec_keras import data
from stackrec_keras.evaluation import popularity_results


def slow_popularity(train_items, targets, num_items):
    """Metric to value, from the counts of the training items, one row at a time."""
    counts = [(train_items == item).sum() for item in range(1, num_items + 1)]
    sums = dict.fromkeys(("mrr", "hit_rate", "ndcg"), 0.0)
    results = {}
    for k in (5, 10):
        sums = dict.fromkeys(sums, 0.0)
        for target in targets:
            others = [c for i, c in enumerate(counts, start=1) if i != target]
            rank = 1 + sum(count >= counts[target - 1] for count in others)
            if rank <= k:
                sums["mrr"] += 1 / rank
                sums["hit_rate"] += 1
                sums["ndcg"] += 1 / np.log2(rank + 1)
        results |= {f"{name}@{k}": s / len(targets) for name, s in sums.items()}
    return results


def test_the_popularity_row_is_what_counting_by_hand_gives(finished_run, log_path):
    log = data.read_interactions(log_path)
    vocabulary = data.Vocabulary.from_items(log["item"])
    split = data.split_random(data.make_windows(log, vocabulary, 8))
    expected = slow_popularity(split.train.items, split.test.last_item, split.num_items)
    metrics = json.loads((finished_run / "metrics.json").read_text())
    found = metrics["results"]["popularity"]
    assert found == pytest.approx(expected, rel=1e-5)
    assert 0 < found["mrr@5"] < found["mrr@10"] < 1


def test_items_that_are_equally_popular_count_against_the_target():
    windows = data.Windows(np.array([[1, 2], [2, 1], [1, 3]]), np.arange(3))
    found = popularity_results(np.array([4, 4, 1]), windows)
    assert found["mrr@5"] == pytest.approx((1 / 2 + 1 / 2 + 1 / 3) / 3)

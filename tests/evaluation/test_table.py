import numpy as np
from refusals import refused

import stackrec_keras as sr
from stackrec_keras import data, evaluation, metrics
from stackrec_keras.evaluation.table import column_title


def test_a_vocabulary_without_counts_is_refused_with_the_way_out(make_model, sequences):
    model = make_model()
    windows = data.Windows(sequences[0], sequences[0][:, 0])
    with refused("model", says="training_counts"):
        evaluation.final_results(model, windows, 8)


def test_a_metric_keeps_its_own_name(make_model, sequences):
    x, y = sequences
    model = make_model(compiled=False)
    model.vocabulary = data.Vocabulary(range(1, 31), counts=[1] * 30)
    model.compile(metrics=["mrr@10", metrics.MRR(5, name="mine")])
    windows = data.Windows(np.c_[x, y[:, -1:]], np.arange(len(x)), None)
    results = evaluation.final_results(model, windows, 32)
    assert [list(found) for found in results.values()] == [["mrr@10", "mine"]] * 2


def test_a_table_says_how_many_targets_recommend_would_leave_out(make_model, sequences):
    items = np.c_[sequences[0], sequences[0][:, :1]]
    windows = data.Windows(items, np.arange(len(items)), None)
    (note,) = evaluation.seen_notes(make_model(compiled=False), windows, False)
    assert note.startswith("64 targets are in their own history, and recommend leaves")
    items[:, -1] = 31
    (note,) = evaluation.seen_notes(make_model(compiled=False), windows, False)
    assert note == "no target is in its own history"
    transferred = sr.TransferRecommender(make_model(compiled=False), num_targets=40)
    assert evaluation.seen_notes(transferred, windows, False) == []


def test_a_metric_has_a_short_title_or_its_own_name():
    titles = {
        "mrr@5": "MRR@5",
        "sampled_hit_rate@5": "sampled HR@5",
        "gain@3": "gain@3",
    }
    assert {name: column_title(name) for name in titles} == titles

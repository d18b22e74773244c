import pytest

from stackrec_keras import data, evaluation


def test_a_vocabulary_without_counts_is_refused_with_the_way_out(make_model, sequences):
    model = make_model()
    windows = data.Windows(sequences[0], sequences[0][:, 0])
    with pytest.raises(ValueError, match="training_counts"):
        evaluation.final_results(model, windows, 8)

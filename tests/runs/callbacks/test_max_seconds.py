from types import SimpleNamespace

import pytest

from stackrec_keras.runs.callbacks.max_seconds import MaxSeconds


@pytest.mark.parametrize("budget, stops", [(4.9, True), (5.0, True), (5.1, False)])
def test_the_seconds_of_all_epochs_on_file_count_against_the_budget(
    tmp_path, budget, stops
):
    history = tmp_path / "history.csv"
    history.write_text("epoch,seconds\n0,2.5\n1,2.5\n")
    callback = MaxSeconds(budget, history)
    callback.set_model(SimpleNamespace(stop_training=False))
    callback.on_epoch_end(1)
    assert callback.model.stop_training == stops
    # A run that is killed before its model is written knows it when it continues.
    assert callback.stopped_before(2) == stops and not callback.stopped_before(1)


def test_a_run_stops_after_the_epoch_that_spends_its_budget(
    tmp_path, log_path, stackrec, train_arguments
):
    more = "--epochs 3 --schedule none --max-seconds 0.001"
    code, out, _ = stackrec(*train_arguments(log_path, tmp_path / "run", more))
    assert code == 0
    # Nobody knows how many epochs there will be.
    assert "\nEpoch 1 (after 0.0 of 0.0 s)\n" in out and "Epoch 1/" not in out
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 2


def test_a_budget_of_nothing_is_refused(tmp_path, log_path, stackrec, train_arguments):
    out = tmp_path / "run"
    code, _, err = stackrec(*train_arguments(log_path, out, "--max-seconds 0"))
    assert code == 2 and "--max-seconds 0.0 must be above 0" in err
    assert not out.exists()

import dataclasses
import inspect
import math
import re
import time
from types import SimpleNamespace

import keras
import keras_tuner
import pytest
from refusals import refused

import stackrec_keras as sr
from stackrec_keras.models import SequentialRecommender
from stackrec_keras.tuning import Choice, GridSearch, SearchSpace, StackingHyperModel
from stackrec_keras.tuning.checks import check_tuner_arguments


@pytest.fixture
def search(tmp_path):
    """Function that runs a search and returns its tuner."""

    def run(
        hypermodel, tuner_class=keras_tuner.RandomSearch, callbacks=(), **arguments
    ):
        if tuner_class is not keras_tuner.Hyperband:
            arguments.setdefault("max_trials", 2)
        tuner = tuner_class(
            hypermodel, hypermodel.objective, directory=tmp_path, seed=1, **arguments
        )
        tuner.search(verbose=0, callbacks=list(callbacks))
        return tuner

    return run


def scores(model, split):
    batches = split.validation.batches(evaluation=True)
    return model.evaluate(batches, verbose=0, return_dict=True)


def assert_best_model_is_the_trial(tuner, split, num_blocks):
    frame = sr.tuning.trials(tuner).set_index("trial")
    best = frame.loc[tuner.oracle.get_best_trials()[0].trial_id]
    model = tuner.get_best_models()[0]
    assert model.num_blocks == best["num_blocks"] == num_blocks
    for name, value in scores(model, split).items():
        assert value == best[f"val_{name}"], name


@pytest.mark.every_backend
def test_the_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = inspect.getdoc(StackingHyperModel)
    names = {"sr": sr, "keras_tuner": keras_tuner}
    exec(re.search(r"```python\n(.*?)```", text, re.S).group(1), names)
    assert len(names["frame"]) == 2
    assert (tmp_path / "trials.png").stat().st_size > 1000
    assert_best_model_is_the_trial(
        names["tuner"], names["split"], names["model"].num_blocks
    )


TUNERS = {
    "RandomSearch": (keras_tuner.RandomSearch, {}),
    "BayesianOptimization": (
        keras_tuner.BayesianOptimization,
        {"num_initial_points": 1},
    ),
    "GridSearch": (GridSearch, {}),
    "Hyperband": (keras_tuner.Hyperband, {"max_epochs": 2, "factor": 2}),
}


@pytest.mark.parametrize(
    "name", ["RandomSearch", "BayesianOptimization", "GridSearch", "Hyperband"]
)
def test_the_best_model_is_grown_and_gives_the_score_of_its_trial(
    name, make_hypermodel, search, split
):
    if name == "BayesianOptimization":
        pytest.importorskip("sklearn", reason="it needs keras-tuner[bayesian]")
    tuner_class, arguments = TUNERS[name]
    tuner = search(make_hypermodel(monitor="val_loss"), tuner_class, **arguments)
    frame = sr.tuning.trials(tuner)
    assert set(frame["status"]) == {"COMPLETED"}
    assert_best_model_is_the_trial(tuner, split, num_blocks=2)
    if name == "Hyperband":
        _assert_hyperband_went_on(frame.set_index("trial"))


def _assert_hyperband_went_on(frame):
    went_on = frame.dropna(subset="tuner/trial_id").iloc[0]
    before = frame.loc[went_on["tuner/trial_id"]]
    # It was too short to grow.
    assert (before["num_blocks"], went_on["num_blocks"]) == (1, 2)
    assert went_on["training_seconds"] > before["total_seconds"]
    assert went_on["score"] < before["score"]


@pytest.mark.parametrize("model_class", [sr.SSEPT, sr.SASRec])
def test_the_data_give_what_they_know_and_the_space_width_and_dropout(
    model_class, make_hypermodel, split
):
    space = {"width": Choice(4, 8), "dropout": Choice(0.25, 0.5)}
    hypermodel = make_hypermodel(model_class, space=space, num_heads=Choice(1, 2))
    hp = keras_tuner.HyperParameters()
    hp.values = {"width": 8, "dropout": 0.5, "num_heads": 2}
    config = hypermodel.build(hp).get_config()
    assert config["num_items"] == split.num_items
    assert config["max_length"] == split.train.length - 1
    assert (config["dropout"], config["num_heads"]) == (0.5, 2)
    if model_class is sr.SSEPT:
        assert config["num_users"] == split.num_users
        assert (config["item_dim"], config["user_dim"]) == (8, 8)
    else:
        assert config["embedding_dim"] == 8


def test_users_of_a_model_that_takes_them_are_in_the_batches(make_hypermodel, search):
    tuner = search(
        make_hypermodel(sr.SSEPT, epochs=1, space={"growths": 0}), max_trials=1
    )
    assert sr.tuning.trials(tuner)["num_blocks"].tolist() == [1]


def test_a_trial_has_the_loss_and_the_rate_that_were_drawn(make_hypermodel):
    space = {"training_loss": Choice("full_softmax", "gbce")}
    hp = keras_tuner.HyperParameters()
    hp.values = {"training_loss": "gbce", "learning_rate": 0.005}
    model = make_hypermodel(space=space).build(hp)
    assert isinstance(model.loss, sr.losses.GBCE)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.005)
    assert model.vocabulary is not None


def test_with_share_by_time_a_trial_begins_with_the_oldest_rows(
    make_hypermodel, search, split, monkeypatch
):
    seen = []
    batches = sr.data.Batches.set_epoch

    def watched(self, epoch, share=1.0):
        batches(self, epoch, share)
        seen.append((self.share_by, self.share))

    monkeypatch.setattr(sr.data.Batches, "set_epoch", watched)
    hypermodel = make_hypermodel(space={"first_data_share": 0.5}, share_by="time")
    search(hypermodel, max_trials=1)
    assert ("time", 0.5) in seen and seen[-1][1] == 1.0


def test_share_by_time_of_rows_without_times_is_refused_at_once(make_hypermodel, split):
    timeless = dataclasses.replace(
        split, train=dataclasses.replace(split.train, end_time=None)
    )
    with pytest.raises(ValueError, match="share_by='time'"):
        StackingHyperModel(sr.NextItNet, timeless, 3, share_by="time")


class Slow(keras.callbacks.Callback):
    """Makes each batch take a quarter of a second, and counts batches."""

    batches = 0

    def on_train_batch_end(self, batch, logs=None):
        Slow.batches += 1
        time.sleep(0.25)


def test_a_trial_ends_within_the_epoch_in_which_its_time_is_up(
    make_hypermodel, search, split, monkeypatch
):
    monkeypatch.setattr(Slow, "batches", 0)
    hypermodel = make_hypermodel(
        epochs=2000, time_budget=0.1, space={"batch_size": 1, "growths": 0}
    )
    tuner = search(hypermodel, max_trials=1, callbacks=[Slow()])
    assert 1 <= Slow.batches <= 2 < len(split.train)
    frame = sr.tuning.trials(tuner)
    assert 0.25 < frame["training_seconds"][0] < frame["total_seconds"][0]
    assert tuner.oracle.objective == keras_tuner.Objective("val_mrr@5", "max")


def test_the_time_to_a_quality_ends_a_trial_that_reaches_it(make_hypermodel, search):
    hypermodel = make_hypermodel(target=1e-6, time_budget=100, epochs=9)
    tuner = search(hypermodel, max_trials=1)
    trial = sr.tuning.trials(tuner).iloc[0]
    assert trial["score"] == trial["seconds_to_quality"] == trial["training_seconds"]
    assert trial["total_seconds"] < 100
    # It had no time to grow.
    assert trial["num_blocks"] == 1


def test_the_best_of_those_that_do_not_reach_the_target_is_the_nearest(
    make_hypermodel, search, split
):
    hypermodel = make_hypermodel(monitor="val_loss", target=0.5, time_budget=100)
    tuner = search(hypermodel)
    frame = sr.tuning.trials(tuner)
    expected = 200 * (1 + (frame["val_loss"] - 0.5) / 0.5)
    assert frame["score"].tolist() == pytest.approx(expected.tolist())
    assert_best_model_is_the_trial(tuner, split, num_blocks=2)
    assert tuner.get_best_models()[0].num_blocks == 2


def test_hyperband_goes_on_at_once_from_a_trial_that_reached_the_target(
    make_hypermodel, search
):
    hypermodel = make_hypermodel(target=1e-6, time_budget=100)
    tuner = search(hypermodel, keras_tuner.Hyperband, max_epochs=2, factor=2)
    frame = sr.tuning.trials(tuner).set_index("trial")
    went_on = frame.dropna(subset="tuner/trial_id").iloc[0]
    assert went_on["score"] == frame.loc[went_on["tuner/trial_id"], "score"]


@pytest.mark.parametrize("recorded, reached", [(50.0, 50.0), (250.0, None)])
def test_a_trial_that_goes_on_has_reached_what_the_one_before_reached(
    make_hypermodel, recorded, reached
):
    values = {"total_seconds": 60.0, "seconds_to_quality": recorded}
    before = SimpleNamespace(metrics=SimpleNamespace(get_best_value=values.get))
    tuner = SimpleNamespace(oracle=SimpleNamespace(get_trial=lambda trial_id: before))
    hp = keras_tuner.HyperParameters()
    hp.values["tuner/trial_id"] = "0"
    clock = make_hypermodel(target=0.5, time_budget=100)._clock(hp, tuner)
    assert (clock.seconds_before, clock.reached) == (60.0, reached)


def test_a_model_counts_as_too_large_by_the_depth_that_it_will_have(
    make_hypermodel, search
):
    hypermodel = make_hypermodel()
    shallow = hypermodel.build(keras_tuner.HyperParameters()).count_params()
    arguments = {"max_trials": 1, "max_model_size": shallow + 1}
    trial = sr.tuning.trials(search(hypermodel, **arguments)).iloc[0]
    assert trial["status"] == "FAILED"
    assert re.search("Oversized model: .* with 2 blocks", trial["error"])
    fits = search(
        make_hypermodel(epochs=1, space={"growths": 0}), project_name="b", **arguments
    )
    assert sr.tuning.trials(fits)["status"].tolist() == ["COMPLETED"]


def test_a_model_of_a_user_is_searched_like_any_other(split):
    class Own(sr.NextItNet):
        def __init__(self, num_items, extra=0, **arguments):
            super().__init__(num_items, **arguments)
            self.extra = extra

    space = SearchSpace(start_blocks=1, width=4)
    hypermodel = StackingHyperModel(Own, split, 3, space, extra=2, kernel_size=2)
    model = hypermodel.build(keras_tuner.HyperParameters())
    assert (model.extra, model.embedding_dim, model.kernel_size) == (2, 4, 2)


def test_a_parameter_that_a_model_lacks_is_not_searched(split):
    class Narrow(SequentialRecommender):
        def __init__(self, num_items, num_blocks, size):
            pass

    hypermodel = StackingHyperModel(Narrow, split, 3, size=4)
    assert (hypermodel.space.width, hypermodel.space.dropout) == (None, None)
    for name, value in (("width", 4), ("dropout", 0.1)):
        with refused(name, received=value, says=f"Narrow, which has no {name}"):
            StackingHyperModel(Narrow, split, 3, SearchSpace(**{name: value}))


@pytest.mark.parametrize(
    "name, value, says",
    [
        ("model_class", dict, "a class of recommenders"),
        ("data", ([[1]], [[2]]), "must be a Split"),
        ("epochs", 0, "an integer of at least 1"),
        ("epochs", 2, "3 stages that growths=2 makes"),
        ("monitor", "val_mrr", "'val_loss', 'val_mrr@5', "),
        ("time_budget", 0, "above 0"),
        ("num_items", 3, "set by data"),
        ("num_blocks", 3, "set by start_blocks of SearchSpace"),
        ("embedding_dim", 3, "set by width of SearchSpace"),
        ("dropout", 0.1, "set by dropout of SearchSpace"),
        ("kernel_sizes", 3, "not an argument of NextItNet.* mean 'kernel_size'?"),
    ],
)
def test_an_argument_that_does_not_fit_is_refused_at_once(name, value, says, split):
    arguments = {"model_class": sr.NextItNet, "data": split, "epochs": 3, name: value}
    with refused(name, received=value, says=says):
        StackingHyperModel(**arguments)


@pytest.mark.parametrize("target", [0, math.nan, "high"])
def test_a_target_is_a_number_other_than_0(target, make_hypermodel):
    with refused("target", says="other than 0"):
        make_hypermodel(target=target, time_budget=9)


def test_a_target_needs_a_time_budget(make_hypermodel):
    with refused("time_budget", received=None, says="target=0.1 needs it"):
        make_hypermodel(target=0.1)


def test_a_method_that_the_model_cannot_grow_by_is_refused_when_the_tuner_is_made(
    make_hypermodel, search
):
    space = {"method": Choice("stackC", "copyZero")}
    with pytest.raises(ValueError, match="copyZero"):
        search(make_hypermodel(space=space, rezero=False))


@pytest.mark.parametrize(
    "argument, tuner_arguments, arguments",
    [
        ("x", {}, {"x": [[1]]}),
        ("validation_data", {}, {"validation_data": 1}),
        ("batch_size", {}, {"batch_size": 2}),
        ("epochs", {}, {"epochs": 3}),
        ("callbacks", {}, {"callbacks": [sr.StackingCallback("stackC")]}),
        ("max_epochs", {"max_epochs": 3}, {}),
    ],
)
def test_an_argument_that_search_refuses_stops_it_at_once(
    argument, tuner_arguments, arguments, make_hypermodel, tmp_path
):
    hypermodel = make_hypermodel()
    tuner_class = keras_tuner.RandomSearch
    if tuner_arguments:
        # Its first trials are of three epochs.
        tuner_class, tuner_arguments["factor"] = keras_tuner.Hyperband, 4
    tuner = tuner_class(
        hypermodel, hypermodel.objective, directory=tmp_path, **tuner_arguments
    )
    with refused(argument):
        tuner.search(verbose=0, **arguments)
    assert sr.tuning.trials(tuner)["status"].tolist() == ["RUNNING"]


def test_search_takes_the_epochs_of_the_hypermodel_again():
    check_tuner_arguments({}, [], epochs=2, most_epochs=2, of_hyperband=False)
    check_tuner_arguments({}, [], epochs=1, most_epochs=2, of_hyperband=True)


def test_the_best_hyper_parameters_can_be_trained_again_without_a_tuner(
    make_hypermodel, search
):
    hypermodel = make_hypermodel()
    tuner = search(hypermodel, keras_tuner.Hyperband, max_epochs=2, factor=2)
    best = tuner.get_best_hyperparameters()[0]
    history = hypermodel.fit(best, hypermodel.build(best), verbose=0).history
    assert history["num_blocks"] == [1, 2]

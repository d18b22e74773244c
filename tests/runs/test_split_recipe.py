"""The split of a run: made from its options, and remade from split.json."""

import json

import pytest
from refusals import refused

import stackrec_keras as sr
from stackrec_keras.runs.option_checks import check_new_run
from stackrec_keras.runs.split_recipe import describe_split, make_split, remake_split

PUBLISHED = {"min_count": 40, "newest_only": True, "whole_history": True}


@pytest.fixture
def config(log_path):
    return sr.runs.TrainConfig(
        data=str(log_path), length=8, split="leave-one-out", model="sasrec"
    )


def test_options_of_leave_one_out_are_written_and_remade(config):
    config = sr.runs.TrainConfig(**{**vars(config), **PUBLISHED})
    split = make_split(config)
    described = json.loads(json.dumps(describe_split(config, split)))
    assert described["arguments"] == PUBLISHED
    assert described["num_items"] == split.num_items < 14
    assert described["ties"] == (
        "events of one user at the same time keep the order of the file"
    )
    assert remake_split(config, described).hash == split.hash


def test_a_run_from_before_these_options_is_remade(config):
    split = make_split(config)
    described = describe_split(config, split)
    assert described["arguments"] == {}
    assert remake_split(config, {"arguments": {}, "hash": split.hash}).num_items == 14


def test_whole_histories_are_refused_for_a_model_that_would_read_them(config):
    config = sr.runs.TrainConfig(
        **{**vars(config), "model": "nextitnet", "whole_history": True}
    )
    with refused("whole_history", received=True):
        check_new_run(config)


@pytest.mark.parametrize("kind", [sr.SASRec, sr.HSTU])
def test_a_model_reads_its_last_items_and_excludes_the_whole_history(config, kind):
    rows = [
        make_split(sr.runs.TrainConfig(**{**vars(config), "whole_history": whole})).test
        for whole in (False, True)
    ]
    model = kind(14, 7, embedding_dim=8)
    model.compile()
    ranked, excluded = (
        [
            model.evaluate(
                part.batches(evaluation=True, features=model.features),
                exclude_seen=exclude,
                verbose=0,
                return_dict=True,
            )
            for part in rows
        ]
        for exclude in (False, True)
    )
    assert ranked[0] == ranked[1]
    assert excluded[0]["hit_rate@10"] > excluded[1]["hit_rate@10"]  # all were seen

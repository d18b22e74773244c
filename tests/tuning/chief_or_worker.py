"""One of the processes of a search: the chief, or a worker.

    python chief_or_worker.py FOLDER

The environment has the KERASTUNER_ variables. The chief prints what came of it as JSON.
"""

import gc
import json
import os
import sys
import time
from pathlib import Path

if os.environ.get("KERAS_BACKEND") in ("jax", "torch"):
    sys.modules["tensorflow"] = None  # is not needed, and takes long to import

import grpc  # noqa: E402
import keras_tuner  # noqa: E402

import stackrec_keras as sr  # noqa: E402
from stackrec_keras.tuning import (  # noqa: E402
    Choice,
    SearchSpace,
    StackingHyperModel,
)

gc.freeze()  # KerasTuner collects garbage twice a trial
folder = Path(sys.argv[1])
name = os.environ["KERASTUNER_TUNER_ID"]

log = sr.data.synthetic(num_users=40, num_items=12, events_per_user=20)
vocabulary = sr.data.Vocabulary.from_items(log["item"])
split = sr.data.split_random(sr.data.make_windows(log, vocabulary, length=10))
space = SearchSpace(
    start_blocks=1,
    growths=1,
    method=Choice("stackC", "stackR"),
    inherit="all",
    learning_rate=Choice(0.015, 0.005),
    batch_size=8,
    width=4,
)
hypermodel = StackingHyperModel(sr.NextItNet, split, 2, space, monitor="val_loss")
tuner = keras_tuner.RandomSearch(
    hypermodel, hypermodel.objective, max_trials=3, directory=folder
)
(folder / f"{name}.ready").touch()
while len(list(folder.glob("*.ready"))) < 3:
    time.sleep(0.1)
try:
    tuner.search(verbose=0)
except grpc.RpcError as error:
    # Once it has no trials left, KerasTuner's chief may stop before its last answer is
    # sent.
    if name == "chief" or error.code() != grpc.StatusCode.UNAVAILABLE:
        raise
if name == "chief":
    model = tuner.get_best_models()[0]
    batches = split.validation.batches(evaluation=True)
    found = {
        "num_blocks": model.num_blocks,
        "loss": model.evaluate(batches, verbose=0, return_dict=True)["loss"],
        "trials": sr.tuning.trials(tuner).to_dict("list"),
    }
    print(json.dumps(found, default=str))
else:
    try:
        sr.tuning.trials(tuner)
    except ValueError as error:
        print(error)

"""SASRec of RecTools, trained by PyTorch Lightning."""

import sys

import numpy as np
import pandas as pd
from pytorch_lightning import Callback, Trainer
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel
from step_clock import StepClock


class Wait(Callback):
    def __init__(self):
        self.clock = StepClock()

    def on_train_batch_start(self, *arguments):
        self.clock()


def trainer():
    return Trainer(
        max_epochs=10**6,
        callbacks=[Wait()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        accelerator="cpu",
    )


rows = np.load(sys.argv[1])
frame = pd.DataFrame(
    {
        Columns.User: np.repeat(np.arange(len(rows)), rows.shape[1]),
        Columns.Item: rows.ravel(),
        Columns.Weight: 1.0,
        Columns.Datetime: np.tile(np.arange(rows.shape[1]), len(rows)),
    }
)
frame[Columns.Datetime] = pd.to_datetime(frame[Columns.Datetime], unit="D")
model = SASRecModel(
    n_blocks=2,
    n_heads=1,
    n_factors=64,
    dropout_rate=0.2,
    session_max_len=rows.shape[1] - 1,
    batch_size=128,
    loss="softmax",
    get_trainer_func=trainer,
)
model.fit(Dataset.construct(frame))

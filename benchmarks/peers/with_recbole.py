"""SASRec of RecBole. Its loss is over the last item of each row only."""

import sys
from pathlib import Path

import numpy as np
import torch
from recbole.config import Config
from recbole.data import create_dataset
from recbole.data.interaction import Interaction
from recbole.model.sequential_recommender import SASRec
from step_clock import StepClock

rows = np.load(sys.argv[1])
length = rows.shape[1] - 1
# RecBole reads the number of items from a data set.
folder = Path("rows")
folder.mkdir()
items = range(1, rows.max() + 1)
lines = (f"{item % 50}\t{item}\t{item}" for item in items)
header = "user_id:token\titem_id:token\ttimestamp:float"
(folder / "rows.inter").write_text("\n".join([header, *lines]) + "\n")
config = Config(
    model="SASRec",
    dataset="rows",
    config_dict={
        "data_path": ".",
        "n_layers": 2,
        "n_heads": 1,
        "hidden_size": 64,
        "inner_size": 64,
        "hidden_dropout_prob": 0.2,
        "attn_dropout_prob": 0.2,
        "loss_type": "CE",
        "train_neg_sample_args": None,
        "MAX_ITEM_LIST_LENGTH": length,
        "use_gpu": False,
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
    },
)
model = SASRec(config, create_dataset(config))
optimizer = torch.optim.Adam(model.parameters())
clock = StepClock()
rng = np.random.default_rng(0)
while True:
    clock()
    chosen = torch.from_numpy(rows[rng.integers(0, len(rows), 128)])
    batch = {
        "item_id_list": chosen[:, :-1],
        "item_length": torch.full((128,), length),
        "item_id": chosen[:, -1],
    }
    optimizer.zero_grad()
    model.calculate_loss(Interaction(batch)).backward()
    optimizer.step()

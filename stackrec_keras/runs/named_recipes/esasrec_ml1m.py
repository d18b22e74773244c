"""eSASRec of two LiGR blocks with sampled softmax, on MovieLens-1M.

    stackrec train --recipe esasrec-ml1m --out runs/esasrec-ml1m

All 3,706 items. The loss is a softmax over the next item and 256 negatives, drawn for
each row. One table is used for input and output.
Published: HR@10 .3133, NDCG@10 .1772 (eSASRec, RecSys 2025,
https://arxiv.org/abs/2508.06450).
"""

from dataclasses import replace

from stackrec_keras.runs.named_recipes.ml1m import PROTOCOL, grown

PUBLISHED = {"eSASRec": (0.3133, 0.1772)}
CONFIG = replace(
    PROTOCOL,
    model="esasrec",
    num_blocks=2,
    num_heads=1,
    embedding_dim=64,
    expansion=4,
    dropout=0.1,
    tied=True,
    epochs=200,
    patience=10,
    loss="sampled_softmax",
    num_negatives=256,
    negatives_per="row",
)
GROWN = grown(CONFIG)

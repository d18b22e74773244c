"""SASRec of two pre-norm blocks with full cross-entropy, on MovieLens-1M.

    stackrec train --recipe sasrec-ml1m --out runs/sasrec-ml1m

The items are the 3,416 with at least 5 ratings. The loss is the exact softmax over all
of them, at every position.
Published: HR@10 .3152, NDCG@10 .1821, best after 63 epochs (Klenitskiy and Vasilev,
RecSys 2023, https://arxiv.org/abs/2309.07602).
"""

from dataclasses import replace

from stackrec_keras.runs.named_recipes.ml1m import PROTOCOL, grown

PUBLISHED = {"Klenitskiy and Vasilev": (0.3152, 0.1821)}
CONFIG = replace(
    PROTOCOL,
    min_count=5,
    model="sasrec",
    num_blocks=2,
    num_heads=1,
    embedding_dim=64,
    dropout=0.1,
    norm="pre",
    padding_mask=True,
    rezero=False,
    tied=True,
    epochs=200,
    patience=10,
    loss="full_softmax",
)
GROWN = grown(CONFIG)

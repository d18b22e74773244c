"""SASRec of two pre-norm blocks with full cross-entropy, on MovieLens-1M.

    stackrec train --recipe sasrec-ml1m --out runs/sasrec-ml1m

The items are the 3,416 with at least 5 ratings. The loss is the exact softmax over all
of them, at every position. The learning rate is .002, and falls to 0 over the last 30%
of 60 epochs; it was .001 throughout in the published run.
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
    epochs=60,
    patience=60,  # trains to the end, and keeps the best epoch
    learning_rate=2e-3,
    decay=0.3,
    loss="full_softmax",
)
GROWN = grown(CONFIG)

"""HSTU with two blocks on MovieLens-1M. The model uses the times of events.

    stackrec train --recipe hstu-ml1m --out runs/hstu-ml1m

All 3,706 items. Scores are cosines, divided by a temperature of .05; the loss is a
softmax over the next item and 128 negatives, drawn for each row. The model is told when
the next event happens, in the test too.
Published: HR@10 .3097, NDCG@10 .1720 after 101 epochs (HSTU, ICML 2024,
https://arxiv.org/abs/2402.17152).
"""

from dataclasses import replace

from stackrec_keras.runs.named_recipes.ml1m import PROTOCOL, grown

PUBLISHED = {"HSTU": (0.3097, 0.1720)}
CONFIG = replace(
    PROTOCOL,
    model="hstu",
    num_blocks=2,
    num_heads=1,
    embedding_dim=50,
    dropout=0.2,
    tied=True,
    normalize=True,
    temperature=0.05,
    epochs=101,
    patience=20,
    loss="sampled_softmax",
    num_negatives=128,
    negatives_per="row",
)
GROWN = grown(CONFIG)

"""HSTU-large, an HSTU of eight blocks with two heads, on MovieLens-1M.

    stackrec train --recipe hstu-large-ml1m --out runs/hstu-large-ml1m

Everything else is as in `hstu-ml1m`.
Published: HR@10 .3294, NDCG@10 .1893 (HSTU, ICML 2024,
https://arxiv.org/abs/2402.17152). RecTools 0.19 reports .3642 and .2164 with early
stopping.
"""

from dataclasses import replace

from stackrec_keras.runs.named_recipes import hstu_ml1m
from stackrec_keras.runs.named_recipes.ml1m import grown

PUBLISHED = {"HSTU": (0.3294, 0.1893), "RecTools": (0.3642, 0.2164)}
CONFIG = replace(hstu_ml1m.CONFIG, num_blocks=8, num_heads=2, qk_dim=25, v_dim=25)
GROWN = grown(CONFIG)

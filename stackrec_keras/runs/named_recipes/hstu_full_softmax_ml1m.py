"""HSTU-large with the exact softmax over all items, on MovieLens-1M.

    stackrec train --recipe hstu-full-softmax-ml1m --out runs/hstu-full-softmax-ml1m

The model is that of `hstu-large-ml1m`, 8 blocks with two heads. The loss has no
sampled negatives, and the learning rate falls to 0 over the last 30% of 60 epochs.
Nothing is published with this loss.
"""

from dataclasses import replace

from stackrec_keras.runs.named_recipes import hstu_large_ml1m

PUBLISHED: dict[str, tuple[float, float]] = {}
CONFIG = replace(
    hstu_large_ml1m.CONFIG,
    loss="full_softmax",
    num_negatives=None,
    negatives_per=None,
    epochs=60,
    patience=60,  # trains to the end, and keeps the best epoch
    learning_rate=2e-3,
    decay=0.3,
)
GROWN = replace(CONFIG, num_blocks=2, schedule="24:8", best_of="deepest")

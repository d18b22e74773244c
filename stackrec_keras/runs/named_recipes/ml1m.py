"""What the recipes on MovieLens-1M have in common."""

from dataclasses import replace

from stackrec_keras.runs.config import TrainConfig

# Published results hold out each user's last item, train on one row of at most 200
# inputs per user, rank all items, and leave all seen items out.
PROTOCOL = TrainConfig(
    data="ml-1m",
    split="leave-one-out",
    length=201,
    newest_only=True,
    whole_history=True,
    exclude_seen=True,
    schedule="none",
    batch_size=128,
    learning_rate=1e-3,
)


def grown(config: TrainConfig) -> TrainConfig:
    """Returns the recipe of a model that starts with 2 blocks and grows to 8."""
    return replace(config, num_blocks=2, schedule="10:4,20:8", best_of="deepest")

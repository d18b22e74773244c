"""Logged values by which models are compared, such as `"val_mrr@5"`."""


def sign(monitor: str) -> int:
    """Returns -1 for a loss (lower is better) and 1 for a metric."""
    return -1 if monitor.endswith("loss") else 1

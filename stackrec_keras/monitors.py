"""The values in the logs by which models are compared, such as `"val_mrr@5"`."""


def sign(monitor: str) -> int:
    """Returns -1 for a loss, which is better the lower it is, and 1 for a metric."""
    return -1 if monitor.endswith("loss") else 1

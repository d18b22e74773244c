"""Describes a log: its size and the period it covers."""


def describe_log(log):
    """Returns what `stackrec data` prints about a log, as pairs of name and text."""
    import numpy as np

    users, items = log["user"].nunique(), log["item"].nunique()
    sizes = log["user"].value_counts(sort=False).to_numpy()
    quantiles = np.quantile(sizes, [0, 0.25, 0.5, 0.75, 1])
    pairs = len(log[["user", "item"]].drop_duplicates())
    return [
        ("users", f"{users:,}"),
        ("items", f"{items:,}"),
        ("events", f"{len(log):,}"),
        ("density", f"{pairs / (users * items):.3%} of all pairs of user and item"),
        (
            "events a user",
            "minimum {:,.0f}, lower quartile {:,.0f}, median {:,.0f}, upper quartile "
            "{:,.0f}, maximum {:,.0f}".format(*quantiles),
        ),
        ("time", f"{_time(log['timestamp'].min())} to {_time(log['timestamp'].max())}"),
    ]


def describe_rows(split, config):
    """Returns what `stackrec data` prints about the rows, as pairs of name and text."""
    from stackrec_keras.data.splits import TIE_RULE

    lines = [("rows", f"{split.train.length} items each, {config.split} split")]
    if config.min_count > 1:
        lines.append(("  items", f"{split.num_items:,}"))
    for part in ("train", "validation", "test"):
        lines.append((f"  {part}", f"{len(getattr(split, part)):,}"))
    lines.append(("  hash", split.hash))
    if not config.sequences:
        lines.append(("  ties", TIE_RULE))
    if split.tied_targets:
        tied = f"{split.tied_targets:,} have the same time as the event before"
        lines.append(("  test targets", tied))
    return lines


def _time(value):
    """Returns a time as text, with its date if it looks like seconds since 1970."""
    import datetime

    if not isinstance(value, (int, float)) and not hasattr(value, "dtype"):
        return str(value)
    if not 1e8 <= float(value) <= 4e9:
        return str(value)
    date = datetime.datetime.fromtimestamp(float(value), datetime.UTC)
    return f"{value} ({date:%Y-%m-%d})"

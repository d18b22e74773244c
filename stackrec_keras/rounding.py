"""Rounds numbers of rows to multiples."""


def round_up(number: int, multiple: int) -> int:
    """Returns the least multiple that is at least a number."""
    return -(-number // multiple) * multiple

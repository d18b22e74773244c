import pytest


@pytest.fixture
def validation(sequences):
    """(x, y) with one target a row."""
    x, y = sequences
    return x, y[:, -1]

import pytest

from stackrec_keras.metrics import MRR

pytestmark = pytest.mark.every_backend


@pytest.mark.parametrize(
    "rank, expected", list(zip([1, 2, 5, 6], [1.0, 0.5, 0.2, 0.0], strict=True))
)
def test_the_gain_at_5_of_a_target_at_a_rank(rank, expected):
    # Item i has rank i.
    scores = [[0.0] + [-float(item) for item in range(1, 9)]]
    metric = MRR(k=5)
    metric.update_state([rank], scores)
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)

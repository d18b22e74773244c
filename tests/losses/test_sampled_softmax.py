import keras
import numpy as np
import pytest
from keras import ops
from refusals import refused

from stackrec_keras.losses import SampledSoftmax
from stackrec_keras.losses.class_shares import class_shares, find_classes

pytestmark = pytest.mark.every_backend

NUM_ITEMS = 20
COUNTS = np.random.default_rng(4).integers(0, 50, NUM_ITEMS)


@pytest.fixture(params=["uniform", "log_uniform", "popularity"])
def distribution(request):
    return request.param


@pytest.fixture
def sample(case):
    """A draw with repeats and accidental hits, and its expected counts."""
    rng = np.random.default_rng(6)
    negatives = rng.integers(0, NUM_ITEMS + 1, 15).astype("int32")
    negatives[:3] = case.y[1, 0], case.y[1, 0], case.y[3, 2]
    expected_negatives = rng.uniform(0.2, 2, 15).astype("float32")
    expected_targets = rng.uniform(0.2, 2, case.y.size).astype("float32")
    return negatives, expected_negatives, expected_targets


def flat(case):
    return case.y.ravel(), case.hidden.reshape(-1, 6), case.table, case.bias


def reference(case, sample, remove_accidental_hits):
    """Position by position, in float64."""
    negatives, expected_negatives, expected_targets = sample
    losses = []
    for i, (target, state) in enumerate(zip(*flat(case)[:2], strict=True)):
        scores = case.table.astype("float64") @ state + case.bias
        score = scores[target] - np.log(expected_targets[i])
        total = np.exp(score)
        for negative, expected in zip(negatives, expected_negatives, strict=True):
            if not (remove_accidental_hits and negative == target):
                total += np.exp(scores[negative]) / expected
        losses.append(np.log(total) - score)
    return np.array(losses)


def given_negatives(case, sample, remove_accidental_hits):
    loss = SampledSoftmax(remove_accidental_hits=remove_accidental_hits)
    tensors = [ops.convert_to_tensor(array) for array in case.arrays]
    losses = loss.sampled_losses(*tensors, logs_of(case, sample))
    return ops.convert_to_numpy(losses).ravel()


def logs_of(case, sample):
    """What `draw` returns for a sample."""
    negatives, expected_negatives, expected_targets = sample
    log_targets = np.log(expected_targets).reshape(case.y.shape)
    drawn = negatives, np.log(expected_negatives), log_targets
    return [ops.convert_to_tensor(values) for values in drawn]


@pytest.mark.parametrize("remove", [True, False])
def test_given_negatives_are_scored_as_position_by_position(case, sample, remove):
    losses = given_negatives(case, sample, remove)
    np.testing.assert_allclose(losses, reference(case, sample, remove), rtol=1e-5)


@pytest.mark.parametrize("remove", [True, False])
def test_given_negatives_are_scored_as_tensorflow_does(case, sample, remove):
    tf = pytest.importorskip("tensorflow")
    negatives, expected_negatives, expected_targets = sample
    # TensorFlow's sampler draws an item once; of repeats it removes only one.
    negatives = np.unique(negatives)
    expected_negatives = expected_negatives[: len(negatives)]
    sample = negatives, expected_negatives, expected_targets
    losses = given_negatives(case, sample, remove)
    expected = tf.nn.sampled_softmax_loss(
        weights=case.table,
        biases=case.bias,
        labels=case.y.reshape(-1, 1).astype("int64"),
        inputs=case.hidden.reshape(-1, 6),
        num_sampled=len(negatives),
        num_classes=NUM_ITEMS + 1,
        sampled_values=(
            negatives.astype("int64"),
            expected_targets[:, None],
            expected_negatives,
        ),
        remove_accidental_hits=remove,
    )
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_the_loss_is_the_mean_over_the_drawn_sample(case, sample):
    class Fixed(SampledSoftmax):
        def draw(self, num_classes, y_true, seed):
            assert num_classes == NUM_ITEMS + 1
            return logs_of(case, sample)

    loss = Fixed()(*case.arrays, seed=keras.random.SeedGenerator(0))
    expected = reference(case, sample, True)[case.y.ravel() > 0].mean()
    np.testing.assert_allclose(float(loss), expected, rtol=1e-5)


def test_a_position_that_meets_only_its_own_target_has_loss_zero(case, gradients):
    targets = ops.full((4, 1), 7, dtype="int32")
    drawn = ops.full((3,), 7, dtype="int32"), ops.zeros(3), ops.zeros((4, 1))

    def function(hidden, table, bias):
        losses = SampledSoftmax().sampled_losses(targets, hidden, table, bias, drawn)
        return ops.sum(losses)

    value, grads = gradients(function, case.hidden[:, :1], case.table, case.bias)
    assert value == 0
    assert all(np.all(gradient == 0) for gradient in grads)


def draw(loss, num_classes=NUM_ITEMS + 1):
    y = np.arange(num_classes).astype("int32")
    drawn = loss.draw(num_classes, y, keras.random.SeedGenerator(11))
    return [ops.convert_to_numpy(values) for values in drawn]


def test_items_are_drawn_as_often_as_expected(distribution):
    loss = SampledSoftmax(200_000, distribution, COUNTS)
    negatives, _, log_expected = draw(loss)
    drawn = np.bincount(negatives, minlength=NUM_ITEMS + 1)
    expected = np.exp(log_expected)
    assert drawn[0] == 0
    np.testing.assert_allclose(expected[1:].sum(), 200_000, rtol=1e-4)
    deviation = (drawn - expected)[1:] / np.sqrt(expected[1:])
    assert np.abs(deviation).max() < 4


def test_negatives_and_targets_have_the_same_expected_counts(distribution):
    negatives, of_negatives, of_targets = draw(SampledSoftmax(50, distribution, COUNTS))
    np.testing.assert_array_equal(of_negatives, of_targets[negatives])


def test_the_padding_is_drawn_only_when_asked_for(distribution):
    for include_padding in (False, True):
        loss = SampledSoftmax(200_000, distribution, COUNTS, include_padding)
        negatives, _, log_expected = draw(loss)
        assert (0 in negatives) == include_padding
        assert negatives.max() == NUM_ITEMS
        assert np.all(np.isfinite(log_expected))


@pytest.mark.parametrize("distribution", ["log_uniform", "popularity"])
def test_every_class_has_a_share_but_the_padding_has_none(distribution):
    counts = np.where(np.arange(1_000) == 0, 10**9, 0)
    shares = class_shares(distribution, counts, include_padding=False)
    assert shares[0] == 0 and shares[1:].min() >= 1
    assert shares.sum() < 2**31
    assert class_shares(distribution, counts, include_padding=True).min() >= 1


def test_popularity_follows_the_counts_with_a_floor_of_one():
    counts = [0, 1, 2, 7]
    log_expected = draw(SampledSoftmax(11, "popularity", counts), num_classes=5)[2]
    np.testing.assert_allclose(np.exp(log_expected[1:]), [1, 1, 2, 7], rtol=1e-5)


def test_log_uniform_goes_by_popularity_rank():
    counts = [5, 9, 1, 9]
    log_expected = draw(SampledSoftmax(1, "log_uniform", counts), num_classes=5)[2]
    ranks = np.array([2, 0, 3, 1])
    expected = np.log((ranks + 2) / (ranks + 1)) / np.log(5)
    np.testing.assert_allclose(np.exp(log_expected[1:]), expected, rtol=1e-5)


def test_items_of_one_count_are_ranked_by_id():
    shares = class_shares("log_uniform", np.tile([1, 2], 500), include_padding=False)
    assert np.all(np.diff(shares[2::2]) <= 0) and np.all(np.diff(shares[1::2]) <= 0)
    assert shares[2::2].min() > shares[1::2].max()


def test_falling_counts_give_the_log_uniform_distribution_of_stackrec():
    loss = SampledSoftmax(
        1, "log_uniform", range(NUM_ITEMS, 0, -1), include_padding=True
    )
    ids = np.arange(NUM_ITEMS + 1)
    expected = np.log((ids + 2) / (ids + 1)) / np.log(NUM_ITEMS + 2)
    np.testing.assert_allclose(np.exp(draw(loss)[2]), expected, rtol=1e-5)


def test_the_corrected_sample_estimates_the_full_denominator(distribution, case):
    loss = SampledSoftmax(200_000, distribution, COUNTS)
    negatives, log_expected, _ = draw(loss)
    scores = case.table @ case.hidden[0, 0] + case.bias
    estimate = np.exp(scores[negatives] - log_expected).sum()
    np.testing.assert_allclose(estimate, np.exp(scores[1:]).sum(), rtol=0.02)


def test_with_many_negatives_the_loss_nears_the_full_softmax(case):
    # With hits kept and a target as likely as any, the sample's denominator is
    # the full one and the target once more, by its own corrected weight.
    seed = keras.random.SeedGenerator(2)
    loss = SampledSoftmax(200_000, remove_accidental_hits=False)
    value = float(loss(*case.arrays, seed=seed))
    full = case.losses()[case.y > 0].mean()
    np.testing.assert_allclose(value - np.log(200_000 / NUM_ITEMS), full, rtol=0.01)


@pytest.mark.parametrize(
    "num_negatives, count", [(0.2, 4), (1.0, 21), (0.001, 1), (33, 33)]
)
def test_a_float_is_a_fraction_and_an_integer_a_count(num_negatives, count):
    assert len(draw(SampledSoftmax(num_negatives))[0]) == count


def test_find_classes_counts_the_ends_passed():
    rng = np.random.default_rng(8)
    for num_classes in (1, 8, 21):
        ends = np.cumsum(rng.integers(0, 4, num_classes) + 1).astype("int32")
        points = np.arange(ends[-1]).astype("int32")
        found = find_classes(ends, ops.convert_to_tensor(points))
        expected = np.searchsorted(ends, points, side="right")
        np.testing.assert_array_equal(ops.convert_to_numpy(found), expected)


def test_the_configuration_holds_every_argument():
    config = {
        "num_negatives": 9,
        "distribution": "popularity",
        "item_counts": [3, 1, 2],
        "include_padding": True,
        "remove_accidental_hits": False,
        "negatives_per": "row",
    }
    assert SampledSoftmax(**config).get_config() == config


def test_an_unknown_distribution_is_refused():
    with refused("distribution", received="zipf", says="log_uniform"):
        SampledSoftmax(distribution="zipf")


@pytest.mark.parametrize("distribution", ["log_uniform", "popularity"])
def test_counts_that_are_missing_or_misshapen_are_refused(distribution):
    with refused("item_counts", received=None):
        SampledSoftmax(distribution=distribution)
    with refused("item_counts", says=r"shape \(2, 2\)"):
        SampledSoftmax(distribution=distribution, item_counts=np.ones((2, 2)))
    for counts in ([1, -2], [1, np.nan], ["1", "2"]):
        with refused("item_counts", received=counts, says="not negative"):
            SampledSoftmax(distribution=distribution, item_counts=counts)


def test_counts_of_another_catalogue_are_refused_at_the_call(case):
    loss = SampledSoftmax(distribution="popularity", item_counts=np.ones(7))
    with refused("item_counts", says="of 7 items, but the model has 20"):
        loss(*case.arrays, seed=keras.random.SeedGenerator(0))

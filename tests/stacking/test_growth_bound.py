import numpy as np
import pandas as pd
import pytest
from refusals import refused

import stackrec_keras as sr
from stackrec_keras.stacking.perfect_growth import best_growth

# Validation losses of 2, 8 and 16 blocks of SASRec on MovieLens-1M, and the cost of an
# epoch.
TWO = "6.455 6.017 5.883 5.833 5.762 5.743 5.714 5.714 5.714 5.701 5.687 5.675"
EIGHT = "6.445 5.965 5.807 5.733 5.680 5.646 5.612 5.604 5.598 5.598 5.580 5.571"
SIXTEEN = "6.443 5.963 5.781 5.715 5.662 5.619 5.597 5.584 5.576 5.576 5.557 5.552"


def curve(losses, cost):
    losses = [float(loss) for loss in losses.split()]
    return {"val_loss": losses, "seconds": cost * np.arange(1, len(losses) + 1)}


def test_curves_of_real_models_give_the_bounds_that_were_worked_out_by_hand():
    two, eight, sixteen = curve(TWO, 1), curve(EIGHT, 2.03), curve(SIXTEEN, 3.4)
    # After 7 epochs two blocks are as good as sixteen after 4: 7 + 8 * 3.4 in place of
    # 12 * 3.4 epochs' time.
    growth = best_growth(two, sixteen, "val_loss")
    assert (growth.at, growth.credit) == (7, pytest.approx(4 * 3.4))
    bound = sr.stacking.growth_bound(two, sixteen)
    assert bound == pytest.approx(12 * 3.4 / (7 + 8 * 3.4))
    assert sr.stacking.growth_bound(eight, sixteen) == pytest.approx(1.31, abs=0.01)


def test_the_time_of_the_deep_model_ends_at_its_best_epoch():
    shallow = {"val_loss": [3.0, 2.0], "seconds": [1, 2]}
    deep = {"val_loss": [4.0, 2.0, 1.0, 1.5], "seconds": [10, 20, 30, 40]}
    # At 2.0 the deep model is not yet better after 20 s: 2 s and the 10 s that remain.
    assert sr.stacking.growth_bound(shallow, deep) == pytest.approx(30 / (2 + 10))


def test_a_shallow_model_as_good_as_the_deep_one_needs_no_growth():
    shallow = {"val_loss": [3.0, 0.5], "seconds": [1, 2]}
    deep = {"val_loss": [4.0, 1.0, 1.5], "seconds": [10, 20, 30]}
    assert sr.stacking.growth_bound(shallow, deep) == pytest.approx(20 / 2)


def test_a_shallow_model_that_is_never_quicker_gives_1():
    deep = curve(SIXTEEN, 1)
    assert sr.stacking.growth_bound(curve(TWO, 1), deep) == 1.0


def test_of_a_metric_more_is_better_and_epochs_without_a_value_do_not_count():
    shallow = {"val_mrr@5": [np.nan, 0.2], "seconds": [1, 2]}
    deep = {"val_mrr@5": [0.1, np.nan, 0.2, 0.3], "seconds": [10, 20, 30, 40]}
    bound = sr.stacking.growth_bound(shallow, deep, "val_mrr@5")
    assert bound == pytest.approx(40 / (2 + 10))


def test_the_history_of_a_run_has_seconds_of_each_epoch():
    run = {"epoch": [0, 1], "num_blocks": [2, 2], "val_loss": [3.0, 2.0]}
    run["seconds"] = [1, 1]
    deep = {"val_loss": [4.0, 2.0, 1.0], "seconds": [10, 20, 30]}
    whole = {"val_loss": [3.0, 2.0], "seconds": [1, 2]}
    expected = sr.stacking.growth_bound(whole, deep)
    assert sr.stacking.growth_bound(run, deep) == expected
    assert sr.stacking.growth_bound(pd.DataFrame(run), pd.DataFrame(deep)) == expected


@pytest.mark.parametrize(
    ("shallow", "says"),
    [
        ([1, 2], "is not a learning curve"),
        ({"val_loss": [1.0]}, "has no 'seconds', only 'val_loss'"),
        ({"seconds": [1.0]}, "has no 'val_loss'"),
        ({"val_loss": [1.0, 2.0], "seconds": [1]}, "has 2 values .*, but 1 of"),
        ({"val_loss": [], "seconds": []}, "has no finite value"),
        ({"val_loss": [np.nan], "seconds": [1]}, "has no finite value"),
        ({"val_loss": [2.0, 1.0], "seconds": [2, 2]}, "increase"),
        ({"val_loss": [2.0], "seconds": [0]}, "increase"),
        ({"val_loss": ["low"], "seconds": [1]}, "must have numbers in 'val_loss'"),
    ],
)
def test_what_is_no_curve_is_refused(shallow, says):
    with refused("shallow", says=says):
        sr.stacking.growth_bound(shallow, curve(SIXTEEN, 1))
    with refused("deep", says=says):
        sr.stacking.growth_bound(curve(SIXTEEN, 1), shallow)

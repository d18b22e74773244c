import pandas as pd
from refusals import refused

from stackrec_keras.data import load, synthetic


def test_the_synthetic_log_is_loaded_by_name():
    pd.testing.assert_frame_equal(load("synthetic"), synthetic())


def test_an_unknown_name_is_refused_with_the_known_ones():
    with refused("name", "ml-2m", says="'ml-1m' or 'synthetic'"):
        load("ml-2m")

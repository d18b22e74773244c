import numpy as np


def gains(metric, values):
    """Returns the values as an array in which more is better: a loss falls."""
    values = np.asarray(values, float)
    return -values if metric.endswith("loss") else values

"""What the tests of models and stacking are run on."""

NUM_ITEMS = 30

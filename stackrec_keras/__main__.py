"""`python -m stackrec_keras` is the `stackrec` command."""

import sys

from stackrec_keras.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""Run as ``python -m skmem``."""

import sys

from skmem.cli import main

if __name__ == "__main__":
    sys.exit(main())

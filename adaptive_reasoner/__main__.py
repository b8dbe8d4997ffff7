"""`python -m adaptive_reasoner` is the command line."""

import sys

from adaptive_reasoner.cli import main

if __name__ == "__main__":
    sys.exit(main())

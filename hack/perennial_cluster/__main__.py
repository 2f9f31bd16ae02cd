"""`python -m perennial_cluster`, for a tree that is not installed."""

import sys

from perennial_cluster.cli import main

sys.exit(main())

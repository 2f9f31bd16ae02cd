"""Run the command line: ``python -m perennial_cluster``."""

import sys

from perennial_cluster.cli import main

sys.exit(main())

"""Run the command line: ``python -m perennial_images``."""

import sys

from perennial_images.cli import main

sys.exit(main())

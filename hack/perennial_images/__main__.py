"""`python -m perennial_images`, for a tree that is not installed."""

import sys

from perennial_images.cli import main

sys.exit(main())

"""Statistics of drift and quality, computed from counts."""

"""Which model is taken: what is tried, on how many rows, by what measure and at what cost."""

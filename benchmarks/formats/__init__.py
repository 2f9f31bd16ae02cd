"""Models of every format: converted, measured, and served from what was saved. See ``__main__``."""

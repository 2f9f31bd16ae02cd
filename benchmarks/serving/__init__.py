"""Compare Perennial's model server with others. See ``__main__``."""

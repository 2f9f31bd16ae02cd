"""Perennial's model server beside others, in one run on one machine. See ``__main__``."""

"""Benchmark of formats: convert, measure and serve models. See ``__main__``."""

"""Helpers of tests: builders of values, servers, and the real cluster."""

"""Perennial's own wire formats: rows of a table, prediction ids, feedback."""

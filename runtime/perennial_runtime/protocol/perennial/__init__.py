"""Perennial's own wire formats: rows by name, feedback, prediction ids."""

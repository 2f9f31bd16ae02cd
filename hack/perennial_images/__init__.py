"""Builds Perennial's container images, with Docker or without."""

"""Helpers that the cluster and image tools share."""

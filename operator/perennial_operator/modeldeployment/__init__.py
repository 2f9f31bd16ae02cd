"""Decisions about a ModelDeployment."""

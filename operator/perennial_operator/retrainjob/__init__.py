"""Decisions about a RetrainJob."""

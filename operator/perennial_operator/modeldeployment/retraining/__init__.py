"""Decide when a ModelDeployment retrains, and what follows a run."""

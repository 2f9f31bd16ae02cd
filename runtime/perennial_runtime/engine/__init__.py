"""The model in memory, and how requests are run on it."""

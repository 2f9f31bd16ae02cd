"""The first step: rows to learn from, and rows to judge on that nothing learns from."""

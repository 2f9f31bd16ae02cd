"""What runs in the Jobs: rows are assembled, a model is trained and judged."""

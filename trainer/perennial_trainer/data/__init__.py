"""Rows: their features and labels, how they are read, joined and split."""

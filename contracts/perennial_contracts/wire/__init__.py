"""Formats that one program writes and another reads."""

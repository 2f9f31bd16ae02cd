"""Formats that one program writes and another reads: bundles, profiles, counters, plans."""

"""Settings of property tests."""

from hypothesis import settings

SHORT = 100
"""Examples of a test in the profile short; the profile long has ten times as many."""


def examples(count: int) -> settings:
    """Return settings with this many examples in the profile short."""
    return settings(max_examples=count * settings.default.max_examples // SHORT)

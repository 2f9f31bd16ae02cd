"""Error of the demo, with a message for its user."""


class DemoError(Exception):
    """Problem and fix, printed without a traceback."""

"""What stops the demo, in words for the person who runs it."""


class DemoError(Exception):
    """The text says what happened and what to do; it is printed without a traceback."""

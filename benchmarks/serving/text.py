"""Shorten texts for a table."""

LONGEST = 240


def one_line(text: str) -> str:
    """Return a text without line breaks, cut in the middle if it is long.

    >>> one_line("a\\n  b")
    'a b'
    """
    line = " ".join(text.split())
    half = LONGEST // 2
    return line if len(line) <= LONGEST else f"{line[:half]} [...] {line[-half:]}"

"""Texts of others, made fit for a table."""

LONGEST = 240


def one_line(text: str) -> str:
    """A text without line breaks, cut in its middle where it is long.

    >>> one_line("a\\n  b")
    'a b'
    """
    line = " ".join(text.split())
    half = LONGEST // 2
    return line if len(line) <= LONGEST else f"{line[:half]} [...] {line[-half:]}"

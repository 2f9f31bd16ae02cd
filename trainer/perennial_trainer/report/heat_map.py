"""A confusion matrix as a heat map: counts, and shares of the rows of each true class."""

from collections.abc import Sequence

from .formatting import share, short
from .markup import Markup, element, scrolling, table

MOST_CLASSES = 20
"""Beyond it a heat map is a carpet."""
DEPTHS = 10
"""Steps of colour; the style has a class for each."""
MOST_MIXED = 8
ROOMY = 5
"""With more classes cells are small."""


def heat_map(title: str, matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> Markup:
    """A cell is as deep as its share of the true class.

    Args:
        title: whose answers they are.
        matrix: shape (classes, classes); row is the answer, column the truth.
        classes: their names.
    """
    heading = element("figcaption", element("h3", title, " ", element("small", _right(matrix))))
    if len(classes) > MOST_CLASSES:
        return element("figure", heading, mixed_up(title, matrix, classes))
    small = len(classes) > ROOMY
    corner = element("th", element("span", "truth ↓"), " ", element("span", "answer →"))
    head = element(
        "tr",
        corner,
        *(_heading(name, "col", small) for name in classes),
    )
    rows = [
        element(
            "tr",
            _heading(name, "row", small),
            *_cells([matrix[answer][truth] for answer in range(len(classes))], truth, small),
        )
        for truth, name in enumerate(classes)
    ]
    return element(
        "figure",
        heading,
        scrolling(
            f"{title}: rows by truth (down) and answer (across)",
            element("thead", head),
            element("tbody", *rows),
            class_="heat small" if small else "heat",
        ),
    )


def mixed_up(title: str, matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> Markup:
    """The most frequent mistakes, most frequent first; nothing where there is none."""
    mistakes = [
        (matrix[answer][truth], truth, answer)
        for truth in range(len(classes))
        for answer in range(len(classes))
        if answer != truth and matrix[answer][truth]
    ]
    if not mistakes:
        return Markup("")
    totals = [sum(row[truth] for row in matrix) for truth in range(len(classes))]
    rows = [
        (classes[truth], classes[answer], f"{count:,}", share(count, totals[truth]))
        for count, truth, answer in sorted(mistakes, key=lambda m: (-m[0], m[1], m[2]))[:MOST_MIXED]
    ]
    head = ["truth", "answer", "rows", "of this truth"]
    return table(f"{title}: the most frequent mistakes", head, rows, "narrow")


def _right(matrix: Sequence[Sequence[int]]) -> str:
    right = sum(matrix[index][index] for index in range(len(matrix)))
    total = sum(map(sum, matrix))
    return f"{right:,} of {total:,} right"


def _cells(counts: Sequence[int], truth: int, small: bool) -> list[Markup]:
    total = sum(counts)
    cells = []
    for answer, count in enumerate(counts):
        depth = -(-count * DEPTHS // total) if total else 0
        kind = "right" if answer == truth else "wrong"
        part = element("small", _share(count, total, small)) if count else ""
        cells.append(element("td", f"{count:,}", part, class_=f"{kind} d{depth}"))
    return cells


def _heading(name: str, scope: str, small: bool) -> Markup:
    """A class's name, so short that the map stays one; whole where the pointer rests on it."""
    shown = short(name, 12 if small else 32)
    return element("th", shown, scope=scope, title=name if shown != name else None)


def _share(count: int, total: int, small: bool) -> str:
    """Two digits where there is little room; three of what would be rounded to all."""
    return share(count, total, 2 if small and count / total < 0.99 else 3)

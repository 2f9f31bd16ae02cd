"""Confusion matrices as heat maps of counts and shares."""

from collections.abc import Sequence
from dataclasses import dataclass

from .formatting import share, short

MOST_CLASSES = 20
"""Limit of a heat map. Beyond it, only the most frequent mistakes are listed."""
MANY_CLASSES = 5
"""Beyond it, cells are small and the most frequent mistakes are listed too."""
DEPTHS = 10
"""Steps of colour. The style sheet has a class for each."""
MOST_MISTAKES = 8


@dataclass(frozen=True)
class HeatCell:
    """The rows of one truth with one answer."""

    count: int
    share: str
    """Share of the rows of this truth; empty for no rows."""
    class_: str
    """Class of the colour, which is deeper for a larger share."""


@dataclass(frozen=True)
class Mistakes:
    """The most frequent wrong answers of a model, most frequent first."""

    title: str
    rows: list[tuple[str, str, int, str]]
    """Truth, answer, number of rows, share of the rows of this truth."""


@dataclass(frozen=True)
class HeatMap:
    """A confusion matrix for the template ``answers.html``."""

    title: str
    """Name of the model."""
    right: int
    total: int
    small: bool
    names: list[str]
    """Classes, shortened so that the map fits."""
    classes: Sequence[str]
    cells: list[list[HeatCell]]
    """By truth, then by answer; [] if there are too many classes."""
    mistakes: Mistakes


def build_heat_map(title: str, matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> HeatMap:
    """Build the heat map of a confusion matrix.

    Args:
        title: name of the model.
        matrix: shape (classes, classes); rows are answers, columns truths.
        classes: names of the classes.
    """
    small = len(classes) > MANY_CLASSES
    cells = []
    if len(classes) <= MOST_CLASSES:
        cells = [_cells([row[truth] for row in matrix], truth, small) for truth in _range(classes)]
    return HeatMap(
        title=title,
        right=sum(matrix[index][index] for index in range(len(matrix))),
        total=sum(map(sum, matrix)),
        small=small,
        names=[short(name, 12 if small else 32) for name in classes],
        classes=classes,
        cells=cells,
        mistakes=Mistakes(f"{title}: the most frequent mistakes", _mistakes(matrix, classes)),
    )


def _mistakes(
    matrix: Sequence[Sequence[int]], classes: Sequence[str]
) -> list[tuple[str, str, int, str]]:
    wrong = [
        (matrix[answer][truth], truth, answer)
        for truth in _range(classes)
        for answer in _range(classes)
        if answer != truth and matrix[answer][truth]
    ]
    totals = [sum(row[truth] for row in matrix) for truth in _range(classes)]
    return [
        (classes[truth], classes[answer], count, share(count, totals[truth]))
        for count, truth, answer in sorted(wrong, key=lambda m: (-m[0], m[1], m[2]))[:MOST_MISTAKES]
    ]


def _cells(counts: Sequence[int], truth: int, small: bool) -> list[HeatCell]:
    total = sum(counts)
    cells = []
    for answer, count in enumerate(counts):
        depth = -(-count * DEPTHS // total) if total else 0
        kind = "right" if answer == truth else "wrong"
        part = _share(count, total, small) if count else ""
        cells.append(HeatCell(count, part, f"{kind} d{depth}"))
    return cells


def _share(count: int, total: int, small: bool) -> str:
    """Format a share: two digits in small cells, unless they round it to all."""
    return share(count, total, 2 if small and count / total < 0.99 else 3)


def _range(classes: Sequence[str]) -> range:
    return range(len(classes))

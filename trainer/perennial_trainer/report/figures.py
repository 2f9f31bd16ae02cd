"""Pictures of numbers: an interval on a line, a confusion matrix as a heat map."""

from collections.abc import Sequence

import numpy as np

from .markup import Markup, element

WIDTH, HEIGHT = 200, 22
MOST_CLASSES = 20
"""Beyond it a heat map is a carpet."""


def interval(low: float, high: float, middle: float, reach: float) -> Markup:
    """A bar from low to high with a mark at the middle, on a scale from -reach to +reach."""

    def place(value: float) -> float:
        share = (max(-reach, min(reach, value)) + reach) / (2 * reach) if reach else 0.5
        return round(4 + share * (WIDTH - 8), 1)

    kind = "gain" if low > 0 else "loss" if high < 0 else "open"
    start, end, half = place(low), place(high), HEIGHT // 2
    return element(
        "svg",
        element("line", x1=place(0), x2=place(0), y1=0, y2=HEIGHT, class_="axis"),
        element(
            "rect",
            x=start, y=half - 4, width=round(max(end - start, 2), 1), height=8, rx=4, class_=kind,
        ),
        element("circle", cx=place(middle), cy=half, r=3, class_="mark"),
        width=WIDTH,
        height=HEIGHT,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=f"between {low:+.4f} and {high:+.4f}",
    )  # fmt: skip


def confusion(title: str, matrix: np.ndarray, classes: Sequence[str]) -> Markup:
    """A heat map of a confusion matrix; a cell is as deep as its share of the true class.

    Args:
        title: whose it is.
        matrix: shape (classes, classes); row is the answer, column the truth.
        classes: their names.
    """
    if len(classes) > MOST_CLASSES:
        right = np.trace(matrix) / max(matrix.sum(), 1)
        said = f"{len(classes)} classes; {right:.1%} of the answers are right."
        return element("div", element("h3", title), element("p", said))
    truth = matrix.sum(axis=0)
    head = element("tr", element("th", "truth ↓  answer →"), *(element("th", c) for c in classes))
    rows = []
    for true, name in enumerate(classes):
        cells = []
        for said_class in range(len(classes)):
            count = int(matrix[said_class, true])
            share = count / truth[true] if truth[true] else 0.0
            color = "--leaf" if said_class == true else "--clay"
            depth = f"color-mix(in srgb, var({color}) {round(share * 70)}%, transparent)"
            cells.append(
                element(
                    "td", f"{count:,}", element("small", f"{share:.1%}"),
                    style=f"background: {depth}",
                )
            )  # fmt: skip
        rows.append(element("tr", element("th", name), *cells))
    body = element("table", element("thead", head), element("tbody", *rows), class_="heat")
    return element("div", element("h3", title), element("div", body, class_="scroll"))

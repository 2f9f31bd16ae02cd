"""Histograms of distributions, with those of a champion as an outline."""

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from perennial_contracts.wire.profile import Distribution

from .formatting import number, share, short
from .svg import coordinate, element, join, label, line, picture, polyline

WIDTH, HEIGHT, FOOT = 180, 60, 16
MOST_LETTERS = 11
MOST_BARS = 5
"""Number of categories with a bar of their own."""
FINEST = 30
"""Number of the narrowest bars that would fill the picture."""
ROW = 17
"""Height of the line of a category."""

Bar = tuple[float, float, float]
"""Left, right, density."""


def figure(
    seen: Distribution, before: Distribution | None = None, title: str = "", most: int = MOST_BARS
) -> Markup:
    """Return a histogram with its name and the share of missing values.

    Args:
        seen: the distribution of the model that the page describes.
        before: the same feature in the champion's data; ignored if its kind differs.
        title: title instead of the distribution's name.
        most: number of categories with a bar of their own.
    """
    name = title or seen.name
    missing = seen.counts[-1]
    missing_share = f"{share(missing, sum(seen.counts))} missing" if missing else ""
    if before is not None and before.is_number != seen.is_number:
        before = None
    drawn = (
        _numbers(name, seen, before) if seen.is_number else _categories(name, seen, before, most)
    )
    caption = element("figcaption", element("b", name), " ", element("small", missing_share))
    return element("figure", caption, drawn)


def _numbers(name: str, seen: Distribution, before: Distribution | None) -> Markup:
    """Draw areas as shares of rows. Open bins have the width of their neighbours."""
    ends = _bin_ends(seen)
    if not ends:
        return element("p", "no values", class_="faint")
    old_ends = _bin_ends(before) if before is not None else []
    low, high = min(ends + old_ends), max(ends + old_ends)
    least = (high - low) / FINEST
    bars = _bars(ends, seen, least)
    outline = _bars(old_ends, before, least) if before is not None and old_ends else []
    highest = max(bar[2] for bar in bars + outline) or 1.0

    def x(value: float) -> float:
        return (value - low) / (high - low) * WIDTH

    def y(density: float) -> float:
        return HEIGHT - density / highest * (HEIGHT - 4)

    def boxes(drawn: Sequence[Bar], kind: str) -> Markup:
        path = "".join(
            f"M{coordinate(x(left))} {HEIGHT}V{coordinate(y(density))}"
            f"H{coordinate(x(right))}V{HEIGHT}"
            for left, right, density in drawn
        )
        return element("path", d=path, class_=kind)

    edges = seen.edges or []
    steps = [(x(at), y(density)) for left, right, density in outline for at in (left, right)]
    labels = {edges[0]: x(edges[0]), edges[-1]: x(edges[-1])}
    if len(labels) > 1 and labels[edges[-1]] - labels[edges[0]] < WIDTH / 3:
        del labels[edges[0]]
    return picture(
        WIDTH,
        HEIGHT + FOOT,
        f"{name}: mostly from {number(edges[0])} to {number(edges[-1])}",
        boxes(bars[1:-1], "bar"),
        boxes([bars[0], *bars[1:][-1:]], "bar open"),
        polyline(steps, "outline") if steps else "",
        line(0, HEIGHT, WIDTH, HEIGHT, "base"),
        *(label(number(edge, 3), at, HEIGHT + 13, _anchor(at)) for edge, at in labels.items()),
        class_="histogram",
    )


def _bin_ends(seen: Distribution) -> list[float]:
    """Return the edges and the outer ends of the two open bins; [] without edges."""
    edges = seen.edges or []
    if not edges:
        return []
    inner = [high - low for low, high in pairwise(edges)]
    widths = [inner[0], *inner, inner[-1]] if inner else [1.0, 1.0]
    return [edges[0] - widths[0], *edges, edges[-1] + widths[-1]]


def _bars(ends: list[float], seen: Distribution, least: float) -> list[Bar]:
    """Return the bars. Bins that are too narrow to see are merged with the next one.

    A spike of almost no width would flatten all other bars.
    """
    counts = seen.counts[:-1]
    total = sum(counts) or 1
    bars: list[Bar] = []
    start, gathered = ends[0], 0
    for index, (count, end) in enumerate(zip(counts, ends[1:], strict=True)):
        gathered += count
        if end - start < least and index < len(counts) - 1:
            continue
        bars.append((start, end, gathered / total / max(end - start, least)))
        start, gathered = end, 0
    return bars


def _categories(
    name: str, seen: Distribution, before: Distribution | None, most_bars: int
) -> Markup:
    """Draw a bar for each of the most frequent categories, and one for the others."""
    shares = _shares(seen)
    old = _shares(before) if before is not None else {}
    ordered = sorted(shares.items(), key=lambda pair: -pair[1])
    shown, rest = ordered[:most_bars], ordered[most_bars:]
    own_bars = {category for category, _ in shown}
    others = sum(part for _, part in rest) + _share_of_others(seen)
    old_others = sum(part for category, part in old.items() if category not in own_bars)
    lines = [(category, part, old.get(category, 0.0)) for category, part in shown]
    if others:
        old_others += _share_of_others(before) if before is not None else 0.0
        lines.append(("others", others, old_others))
    most = max((max(part, was) for _, part, was in lines), default=0.0) or 1.0
    parts = []
    for index, (category, part, was) in enumerate(lines):
        top = index * ROW
        parts += [
            label(short(category, MOST_LETTERS), 0, top + 12, "start"),
            element(
                "rect", x=74, y=coordinate(top + 3), width=coordinate(part / most * 62), height=11,
                class_="bar open" if index == len(shown) else "bar",
            ),
            label(share(part, 1), WIDTH, top + 12, "end"),
        ]  # fmt: skip
        if before is not None:
            at = 74 + was / most * 62
            parts.append(line(at, top + 1, at, top + 16, "outline"))
    summary = ", ".join(f"{category} {share(part, 1)}" for category, part, _ in lines)
    return picture(
        WIDTH, max(len(lines), 1) * ROW, f"{name}: {summary}", join(parts), class_="histogram"
    )


def _shares(seen: Distribution) -> dict[str, float]:
    total = sum(seen.counts) or 1
    return {
        category: count / total
        for category, count in zip(seen.categories or [], seen.counts, strict=False)
        if count
    }


def _share_of_others(seen: Distribution) -> float:
    return seen.counts[-2] / (sum(seen.counts) or 1)


def _anchor(at: float) -> str:
    """Return the anchor that keeps a text inside the picture."""
    return "start" if at < 30 else "end" if at > WIDTH - 30 else "middle"

"""Small pictures of distributions, those of a champion drawn over them as an outline."""

from collections.abc import Sequence
from itertools import pairwise

from perennial_contracts.wire.profile import Distribution

from .formatting import number, share, short
from .markup import Markup, element, join
from .svg import label, line, picture, place, polyline

WIDTH, HEIGHT, FOOT = 180, 60, 16
MOST_LETTERS = 11
MOST_BARS = 5
"""Categories that are shown each by itself."""
FINEST = 30
"""A bar is no narrower than this part of the picture."""
ROW = 17
"""Height of a category's line."""

Bar = tuple[float, float, float]
"""Left, right, density."""


def figure(
    seen: Distribution, before: Distribution | None = None, title: str = "", most: int = MOST_BARS
) -> Markup:
    """A distribution with its name and the share of missing values.

    Args:
        seen: of the model that the page is about.
        before: the same feature as the champion's data had it; left out where its kind differs.
        title: in place of the distribution's name.
        most: categories that are shown each by itself.
    """
    name = title or seen.name
    missing = seen.counts[-1]
    said = f"{share(missing, sum(seen.counts))} missing" if missing else ""
    if before is not None and before.is_number != seen.is_number:
        before = None
    drawn = (
        _numbers(name, seen, before) if seen.is_number else _categories(name, seen, before, most)
    )
    caption = element("figcaption", element("b", name), " ", element("small", said))
    return element("figure", caption, drawn)


def _numbers(name: str, seen: Distribution, before: Distribution | None) -> Markup:
    """Areas are shares of the rows. The two open bins get the width of their neighbours."""
    places = _places(seen)
    if not places:
        return element("p", "no values", class_="faint")
    old_places = _places(before) if before is not None else []
    low, high = min(places + old_places), max(places + old_places)
    least = (high - low) / FINEST
    bars = _bars(places, seen, least)
    outline = _bars(old_places, before, least) if before is not None and old_places else []
    highest = max(bar[2] for bar in bars + outline) or 1.0

    def x(value: float) -> float:
        return (value - low) / (high - low) * WIDTH

    def y(density: float) -> float:
        return HEIGHT - density / highest * (HEIGHT - 4)

    def boxes(drawn: Sequence[Bar], kind: str) -> Markup:
        path = "".join(
            f"M{place(x(left))} {HEIGHT}V{place(y(density))}H{place(x(right))}V{HEIGHT}"
            for left, right, density in drawn
        )
        return element("path", d=path, class_=kind)

    edges = seen.edges or []
    steps = [(x(at), y(density)) for left, right, density in outline for at in (left, right)]
    ends = {edges[0]: x(edges[0]), edges[-1]: x(edges[-1])}
    if len(ends) > 1 and ends[edges[-1]] - ends[edges[0]] < WIDTH / 3:
        del ends[edges[0]]
    return picture(
        WIDTH,
        HEIGHT + FOOT,
        f"{name}: mostly from {number(edges[0])} to {number(edges[-1])}",
        boxes(bars[1:-1], "bar"),
        boxes([bars[0], *bars[1:][-1:]], "bar open"),
        polyline(steps, "outline") if steps else "",
        line(0, HEIGHT, WIDTH, HEIGHT, "base"),
        *(label(number(edge, 3), at, HEIGHT + 13, _anchor(at)) for edge, at in ends.items()),
        class_="histogram",
    )


def _places(seen: Distribution) -> list[float]:
    """The edges and the outer ends of the two open bins; empty where there is no edge."""
    edges = seen.edges or []
    if not edges:
        return []
    inner = [high - low for low, high in pairwise(edges)]
    widths = [inner[0], *inner, inner[-1]] if inner else [1.0, 1.0]
    return [edges[0] - widths[0], *edges, edges[-1] + widths[-1]]


def _bars(ends: list[float], seen: Distribution, least: float) -> list[Bar]:
    """Bins that are too narrow to be seen are put together with the next one: a spike of next to
    no width would flatten all others."""
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
    """A bar for each of the most frequent ones, and one for all others together."""
    shares = _shares(seen)
    old = _shares(before) if before is not None else {}
    named = sorted(shares.items(), key=lambda pair: -pair[1])
    shown, rest = named[:most_bars], named[most_bars:]
    known = {category for category, _ in shown}
    others = sum(part for _, part in rest) + _share_of_others(seen)
    old_others = sum(part for category, part in old.items() if category not in known)
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
                "rect", x=74, y=place(top + 3), width=place(part / most * 62), height=11,
                class_="bar open" if index == len(shown) else "bar",
            ),
            label(share(part, 1), WIDTH, top + 12, "end"),
        ]  # fmt: skip
        if before is not None:
            at = 74 + was / most * 62
            parts.append(line(at, top + 1, at, top + 16, "outline"))
    told = ", ".join(f"{category} {share(part, 1)}" for category, part, _ in lines)
    return picture(
        WIDTH, max(len(lines), 1) * ROW, f"{name}: {told}", join(parts), class_="histogram"
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
    """Where a text's anchor is, so that it does not leave the picture."""
    return "start" if at < 30 else "end" if at > WIDTH - 30 else "middle"

"""Charts of distributions: positions and texts for ``templates/drift.html``.

Sizes are attributes of SVG, because the page's policy forbids inline styles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from perennial_contracts.wire.profile import Distribution

HEIGHT = 56
"""Height of the highest bar, in pixels."""
MAX_CATEGORIES = 5
"""Number of categories with a bar of their own."""


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram; positions are SVG attributes."""

    x: str
    y: str
    width: str
    height: str
    style: str
    title: str


@dataclass(frozen=True)
class Tick:
    """A number below a histogram."""

    x: str
    anchor: str
    text: str


@dataclass(frozen=True)
class HistogramChart:
    """Bars of a distribution of numbers."""

    summary: str
    bars: Sequence[Bar]
    ticks: Sequence[Tick]


@dataclass(frozen=True)
class CategoryBar:
    """A bar for one category, of at most 100 units."""

    name: str
    width: str
    style: str
    share: str


@dataclass(frozen=True)
class Figure:
    """A distribution with its caption."""

    title: str
    about: str
    is_number: bool
    histogram: HistogramChart | None
    """None for categories, and if no row had a number."""
    categories: Sequence[CategoryBar]


def figure(seen: Distribution, title: str, about: str) -> Figure:
    """Build the chart of a distribution; ``about`` describes it in a few words."""
    total = sum(seen.counts)
    missing = seen.counts[-1]
    texts = (about, f"{_share(missing, total)} missing" if missing else "")
    return Figure(
        title,
        " · ".join(filter(None, texts)),
        seen.is_number,
        _histogram(seen, total) if seen.is_number else None,
        () if seen.is_number else _categories(seen, total),
    )


def brief(value: float) -> str:
    """Format a number with about four digits."""
    if 1e4 <= abs(value) < 1e12:
        return f"{value:,.0f}"
    return f"{value:,.4g}"


def _histogram(seen: Distribution, total: int) -> HistogramChart | None:
    """Build bars whose areas are shares of the rows.

    The first and the last bin have no outer limit; they are as wide as their neighbors.
    """
    edges = seen.edges or []
    counts = seen.counts[:-1]
    if not edges:
        return None
    inner = [high - low for low, high in pairwise(edges)]
    widths = [inner[0], *inner, inner[-1]] if inner else [1.0, 1.0]
    span = sum(widths)
    offsets = [offset / span * 100 for offset in accumulate(widths, initial=0.0)]
    densities = [count / width for count, width in zip(counts, widths, strict=True)]
    highest = max(densities) or 1.0
    bars = [
        Bar(
            x=f"{left:.2f}%",
            y=f"{HEIGHT - density / highest * HEIGHT:.1f}",
            width=f"{right - left:.2f}%",
            height=f"{density / highest * HEIGHT:.1f}",
            style="bar open" if index in (0, len(counts) - 1) else "bar",
            title=f"{_interval(edges, index)}: {_share(counts[index], total)}",
        )
        for index, (density, (left, right)) in enumerate(
            zip(densities, pairwise(offsets), strict=True)
        )
    ]
    ends = {edges[0]: offsets[1], edges[-1]: offsets[-2]}
    ticks = [Tick(f"{at:.2f}%", _anchor(at), brief(edge)) for edge, at in ends.items()]
    return HistogramChart(f"mostly from {brief(edges[0])} to {brief(edges[-1])}", bars, ticks)


def _anchor(percent: float) -> str:
    """Return the anchor that keeps a text inside the chart."""
    return "start" if percent < 15 else "end" if percent > 85 else "middle"


def _interval(edges: list[float], index: int) -> str:
    if index == 0:
        return f"below {brief(edges[0])}"
    if index == len(edges):
        return f"{brief(edges[-1])} and more"
    return f"{brief(edges[index - 1])} to {brief(edges[index])}"


def _categories(seen: Distribution, total: int) -> list[CategoryBar]:
    """Build a bar for each of the most frequent categories, and one for all others."""
    named = list(zip(seen.categories or [], seen.counts, strict=False))
    named.sort(key=lambda pair: -pair[1])
    shown, rest = named[:MAX_CATEGORIES], named[MAX_CATEGORIES:]
    if len(rest) == 1:
        shown, rest = named, []
    others = sum(count for _, count in rest) + seen.counts[-2]
    rows = [(name, count, "bar") for name, count in shown]
    if others:
        rows.append(("others", others, "bar open"))
    highest = max((count for _, count, _ in rows), default=0) or 1
    return [
        CategoryBar(name, f"{count / highest * 100:.2f}", style, _share(count, total))
        for name, count, style in rows
    ]


def _share(count: int, total: int) -> str:
    share = count / total if total else 0.0
    return "<0.1 %" if 0 < share < 0.001 else f"{share * 100:.3g} %"

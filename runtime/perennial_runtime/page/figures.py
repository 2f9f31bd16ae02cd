"""Small pictures of distributions. Sizes are SVG attributes: the policy forbids inline styles."""

from itertools import accumulate, pairwise

from perennial_contracts.wire.profile import Distribution

from .markup import Markup, element, number

HEIGHT = 56
"""Pixels of the highest bar."""
MOST_BARS = 5
"""Categories that are shown each by itself."""


def figure(seen: Distribution, title: str, about: str) -> Markup:
    """A distribution with its name, and what it is about in a few words."""
    total = sum(seen.counts)
    missing = seen.counts[-1]
    said = " · ".join(filter(None, (about, f"{_share(missing, total)} missing" if missing else "")))
    picture = _numbers(seen, total) if seen.is_number else _categories(seen, total)
    caption = element("figcaption", element("b", title), " ", element("small", said))
    return element("figure", caption, picture)


def _numbers(seen: Distribution, total: int) -> Markup:
    """Areas are shares of the rows. The two open bins get the width of their neighbours."""
    edges = seen.edges or []
    counts = seen.counts[:-1]
    if not edges:
        return element("p", "no values", class_="faint")
    inner = [high - low for low, high in pairwise(edges)]
    widths = [inner[0], *inner, inner[-1]] if inner else [1.0, 1.0]
    span = sum(widths)
    places = [place / span * 100 for place in accumulate(widths, initial=0.0)]
    densities = [count / width for count, width in zip(counts, widths, strict=True)]
    highest = max(densities) or 1.0
    bars = (
        element(
            "rect",
            element("title", f"{_interval(edges, place)}: {_share(counts[place], total)}"),
            x=f"{left:.2f}%",
            y=f"{HEIGHT - density / highest * HEIGHT:.1f}",
            width=f"{right - left:.2f}%",
            height=f"{density / highest * HEIGHT:.1f}",
            class_="bar open" if place in (0, len(counts) - 1) else "bar",
        )
        for place, (density, (left, right)) in enumerate(
            zip(densities, pairwise(places), strict=True)
        )
    )
    ends = {edges[0]: places[1], edges[-1]: places[-2]}
    texts = (
        element("text", number(edge), x=f"{place:.2f}%", y=HEIGHT + 14, text_anchor=_anchor(place))
        for edge, place in ends.items()
    )
    line = element("line", x1=0, x2="100%", y1=HEIGHT, y2=HEIGHT)
    label = f"mostly from {number(edges[0])} to {number(edges[-1])}"
    return element("svg", *bars, line, *texts, class_="histogram", role="img", aria_label=label)


def _anchor(percent: float) -> str:
    """Where a text's anchor is, so that it does not leave the picture."""
    return "start" if percent < 15 else "end" if percent > 85 else "middle"


def _interval(edges: list[float], place: int) -> str:
    if place == 0:
        return f"below {number(edges[0])}"
    if place == len(edges):
        return f"{number(edges[-1])} and more"
    return f"{number(edges[place - 1])} to {number(edges[place])}"


def _categories(seen: Distribution, total: int) -> Markup:
    """A bar for each of the most frequent ones, and one for all others together."""
    named = list(zip(seen.categories or [], seen.counts, strict=False))
    named.sort(key=lambda pair: -pair[1])
    shown, rest = named[:MOST_BARS], named[MOST_BARS:]
    if len(rest) == 1:
        shown, rest = named, []
    others = sum(count for _, count in rest) + seen.counts[-2]
    rows = [(name, count, "bar") for name, count in shown]
    if others:
        rows.append(("others", others, "bar open"))
    most = max((count for _, count, _ in rows), default=0) or 1
    return element(
        "ul",
        *(
            element(
                "li",
                element("span", name, class_="name", title=name),
                element(
                    "svg",
                    element(
                        "rect", x=0, y=0, width=f"{count / most * 100:.2f}", height=10, class_=kind
                    ),
                    viewBox="0 0 100 10",
                    preserveAspectRatio="none",
                    aria_hidden="true",
                ),
                element("span", _share(count, total), class_="share"),
            )
            for name, count, kind in rows
        ),
        class_="bars",
    )


def _share(count: int, total: int) -> str:
    share = count / total if total else 0.0
    return "<0.1 %" if 0 < share < 0.001 else f"{share * 100:.3g} %"

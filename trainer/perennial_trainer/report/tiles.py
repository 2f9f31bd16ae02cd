"""The key metrics: each with its interval, and beside it what one gets without learning."""

from perennial_contracts.stats.quality import ERRORS
from perennial_contracts.wire.modelcard import Evaluation, Score

from .axes import Scale
from .formatting import metric, score
from .markup import Markup, element, join
from .svg import drawable, line, picture

WIDTH, HEIGHT = 160, 16


def tiles(evaluation: Evaluation, first: str) -> Markup:
    """A tile for each metric; the one that the search compared by leads."""
    dummies = {dummy.metric: dummy.value for dummy in evaluation.dummy}
    ordered = sorted(evaluation.scores, key=lambda found: found.metric != first)
    return element(
        "ul",
        *(_tile(found, dummies.get(found.metric), found.metric == first) for found in ordered),
        class_="tiles",
    )


def _tile(found: Score, dummy: float | None, leads: bool) -> Markup:
    between = ""
    if found.low is not None and found.high is not None:
        between = f"{score(found.low)} to {score(found.high)}"
    aside = f"dummy {score(dummy)}" if dummy is not None else ""
    return element(
        "li",
        element("span", metric(found.metric), class_="name"),
        element("strong", score(found.value)),
        _gauge(found, dummy) if drawable(found.value) else "",
        element("small", between) if between else "",
        element("small", aside) if aside else "",
        class_="leads" if leads else None,
    )


def _gauge(found: Score, dummy: float | None) -> Markup:
    """The value between nothing and the best (or, of an error, the dummy's), with its interval."""
    known = [
        v for v in (found.value, found.low, found.high, dummy) if v is not None and drawable(v)
    ]
    error = found.metric in ERRORS
    high = max([*known, 0.0]) * 1.05 if error else max([*known, 1.0])
    low = min([*known, 0.0])
    scale = Scale(low, high or 1.0, 2, WIDTH - 2)
    middle = HEIGHT / 2
    parts = [line(2, middle, WIDTH - 2, middle, "track")]
    if found.low is not None and found.high is not None:
        parts.append(line(scale(found.low), middle, scale(found.high), middle, "whisker c0"))
    parts.append(line(scale(found.value), 2, scale(found.value), HEIGHT - 2, "mark"))
    if dummy is not None and drawable(dummy):
        parts.append(line(scale(dummy), 3, scale(dummy), HEIGHT - 3, "dummy"))
    ends = "smaller is better" if error else "larger is better"
    return picture(
        WIDTH, HEIGHT, f"{metric(found.metric)} {score(found.value)}, {ends}", join(parts)
    )

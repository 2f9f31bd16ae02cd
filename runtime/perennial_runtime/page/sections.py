"""What can be read about a model: its signature, its card, and its drift profile."""

from collections.abc import Iterable, Sequence

from perennial_contracts.wire.bundle import Bundle
from perennial_contracts.wire.profile import Profile

from ..classes import Classes
from ..regression import PREDICTION
from ..samples import median
from ..signature import TensorSpec
from .figures import figure
from .markup import Markup, element, facts, join, number, table

MOST_LABELS = 40
"""Classes that are named; of more, how many there are."""


def section(title: str, anchor: str, *children: object) -> Markup:
    """A part of the page under a heading."""
    head = element("h2", title, id=anchor)
    return element("section", head, *children, aria_labelledby=anchor)


def signature(inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> Markup:
    """Names, datatypes and shapes of what goes in and what comes out."""
    sides = (
        table(
            f"{title} ({len(tensors)})",
            ("name", "datatype", "shape"),
            (
                (element("code", tensor.name), tensor.datatype, element("code", shape_of(tensor)))
                for tensor in tensors
            ),
        )
        for title, tensors in (("Inputs", inputs), ("Outputs", outputs))
    )
    hint = element("p", "-1 stands for any extent.", class_="faint")
    is_free = any(-1 in tensor.shape for tensor in (*inputs, *outputs))
    return section("Signature", "signature", element("div", *sides, class_="side"),
                   hint if is_free else "")  # fmt: skip


def shape_of(tensor: TensorSpec) -> str:
    """A shape as the protocol writes it.

    >>> shape_of(TensorSpec("x", "FP32", (-1, 2)))
    '[-1, 2]'
    """
    return str(list(tensor.shape))


def card(bundle: Bundle | None, profile: Profile | None, classes: Classes | None) -> Markup:
    """How good the model is, what it tells apart, and where it comes from; may be empty."""
    parts: list[Markup] = []
    if bundle and bundle.metrics:
        parts.append(element("h3", "Scores on held-out data"))
        parts.append(_tiles((name, number(value), "") for name, value in bundle.metrics.items()))
    elif profile and profile.quality:
        parts.append(element("h3", "Scores on held-out data"))
        parts.append(
            _tiles(
                (name, number(base.value), f"± {number(base.deviation)}")
                for name, base in profile.quality.items()
            )
        )
    if classes:
        parts.append(element("h3", f"Classes ({len(classes.names)})"))
        parts.append(_labels(classes))
    if bundle and bundle.lineage:
        parts.append(element("h3", "Where it comes from"))
        parts.append(facts(bundle.lineage.items()))
    return section("Model card", "card", *parts) if parts else Markup()


def _tiles(tiles: Iterable[tuple[str, str, str]]) -> Markup:
    return element(
        "ul",
        *(
            element(
                "li", element("b", value), element("small", f" {more}" if more else ""),
                element("span", name),
            )
            for name, value, more in tiles
        ),
        class_="tiles",
    )  # fmt: skip


def _labels(classes: Classes) -> Markup:
    names = classes.names
    chips = [
        element(
            "li", name, element("small", " positive") if place == classes.positive else "",
            class_="positive" if place == classes.positive else None,
        )
        for place, name in enumerate(names[:MOST_LABELS])
    ]  # fmt: skip
    if len(names) > MOST_LABELS:
        chips.append(element("li", f"and {len(names) - MOST_LABELS} more"))
    return element("ul", *chips, class_="chips")


def drift(profile: Profile, classes: Classes | None) -> Markup:
    """What the inputs and the answers looked like on held-out data."""
    figures = []
    if profile.label:
        figures.append(figure(profile.label, "label", "predicted"))
    if profile.score:
        positive = (
            classes.names[classes.positive] if classes and classes.positive is not None else ""
        )
        about = f"probability of {positive}" if positive else "probability of the likeliest class"
        if classes is None:  # of a model of numbers
            middle = median(profile.score)
            about = "predicted" if middle is None else f"predicted, median {number(middle)}"
        figures.append(figure(profile.score, "score" if classes else PREDICTION, about))
    for feature in profile.features:
        middle = median(feature)
        about = "" if middle is None else f"median {number(middle)}"
        figures.append(figure(feature, feature.name, about))
    intro = (
        f"The model's inputs and answers on {profile.rows:,} held-out rows. What is asked now is "
        "counted over the same bins."
    )
    hint = "An area is a share of the rows; the paler bins at both ends are open."
    return section(
        "Drift profile",
        "profile",
        element("p", intro),
        element("div", *figures, class_="figures"),
        element("p", hint, class_="faint"),
    )


def head(
    name: str,
    version: str,
    kind: str,
    properties: Iterable[tuple[str, str]],
    links: Iterable[tuple[str, str, str]],
) -> Markup:
    """The top of the page: what is served here, and where programs find the same.

    Args:
        properties: names and values, shown as they are.
        links: a title, a path relative to the page, and what is there.
    """
    return element(
        "header",
        element("p", Markup(LEAF), "Perennial serves", class_="brand"),
        element("h1", name),
        element("p", kind, " · version ", element("code", version), class_="kind"),
        facts((key, element("code", value)) for key, value in properties),
        element(
            "nav",
            *(element("a", title, href=path, title=about) for title, path, about in links),
            aria_label="The same for programs",
        ),
    )


LEAF = join(
    Markup('<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">'),
    element("path", d="M14 2C6 1 1 5 2 12c1-3 4-6 8-7-3 2-6 5-7 9 7 1 12-3 11-12z"),
    Markup("</svg>"),
)

"""The page: what was decided, on which numbers, out of which candidates, from which data."""

from perennial_contracts.wire.modelcard import ModelCard
from perennial_contracts.wire.profile import Profile

from .formatting import NOTHING, duration, size
from .markup import Markup, element, facts, join
from .sections.candidates import candidates
from .sections.comparison import comparison
from .sections.compression import compression, conversion
from .sections.data import data
from .sections.distributions import distributions
from .sections.lineage import lineage
from .sections.quality import answers, curve_charts, errors, metrics
from .sections.slices import slices
from .style import STYLE

LEAF = Markup(
    '<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">'
    '<path d="M2 14C2 6 7 2 14 2c0 7-4 12-10 11l4-6-5 5z"/></svg>'
)


def render(
    card: ModelCard, profile: Profile | None = None, champion_profile: Profile | None = None
) -> str:
    """One HTML file without scripts and links; the same facts make the same file.

    Args:
        card: what is known of the model; what it lacks does not appear.
        profile: what its inputs and answers looked like.
        champion_profile: the same of the model that it stood against.
    """
    parts = [
        (name, title, content)
        for name, title, content in (
            ("metrics", "Metrics", metrics(card)),
            ("comparison", "Champion and challenger", comparison(card)),
            ("answers", "Right and wrong answers", answers(card)),
            ("curves", "Curves", curve_charts(card)),
            ("errors", "Predictions and residuals", errors(card)),
            ("slices", "Slices", slices(card)),
            ("candidates", "Candidates", candidates(card)),
            ("compression", "Compression", compression(card)),
            ("conversion", "Conversion", conversion(card)),
            ("profile", "Distributions", distributions(profile, champion_profile)),
            ("data", "Data", data(card)),
            ("lineage", "Lineage", lineage(card)),
        )
        if content
    ]
    head = join(
        [
            Markup('<meta charset="utf-8">'),
            Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            element("title", f"{card.decision}: {card.name}" if card.decision else card.name),
            element("style", Markup(STYLE)),
        ]
    )
    contents = element(
        "nav",
        *(element("a", title, href=f"#{name}") for name, title, _ in parts),
        aria_label="Contents",
    )
    sections = (
        element(
            "section",
            element("h2", title, id=f"{name}-title"),
            content,
            id=name,
            aria_labelledby=f"{name}-title",
        )
        for name, title, content in parts
    )
    main = element("main", _headline(card), contents if len(parts) > 2 else "", *sections)
    page = element("html", element("head", head), element("body", main), lang="en")
    return f"<!doctype html>\n{page}\n"


def _headline(card: ModelCard) -> Markup:
    evaluation = card.evaluation
    badge = element("span", card.decision, class_=f"badge {card.decision}") if card.decision else ""
    said = _sentence(card.headline)
    budget = card.budget
    return element(
        "header",
        element("p", LEAF, "Perennial · model report", class_="brand"),
        element("h1", card.name),
        badge,
        element("p", said, class_="lead") if said else "",
        facts(
            [
                ("model", card.kind),
                ("task", evaluation.task.lower() if evaluation else ""),
                ("learnt from", f"{card.data.rows:,} rows" if card.data.rows else ""),
                ("judged on", f"{evaluation.rows:,} rows" if evaluation else ""),
                ("size", _within(size(card.size_bytes), size(budget.get("sizeBytes")))),
                (
                    "p95",
                    _within(
                        duration(card.p95_microseconds),
                        duration(budget.get("p95Microseconds")),
                    ),
                ),
            ],
            "key",
        ),
    )


def _sentence(headline: str) -> str:
    """The headline without the decision, which the badge says already."""
    said = headline
    for decision in ("Accepted", "Rejected"):
        said = said.removeprefix(f"{decision}: ")
    said = said.strip().rstrip(".")
    return f"{said[:1].upper()}{said[1:]}." if said else ""


def _within(written: str, limit: str) -> str:
    """A measured cost, with the budget where there is one; empty where nothing was measured."""
    if written == NOTHING:
        return ""
    return written if limit == NOTHING else f"{written} (budget {limit})"

"""The page of a model card: metrics, comparison, candidates, data.

``render`` fills the templates of this package with Jinja2, which escapes each value. A section has
a template, which formats the card, and a function in ``sections``, which computes its charts.
"""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from perennial_contracts.wire.modelcard import ModelCard
from perennial_contracts.wire.profile import Profile

from . import formatting, sections, svg
from .heat_map import DEPTHS

SECTIONS = (
    ("metrics", "Metrics", sections.metrics),
    ("comparison", "Champion and challenger", sections.comparison),
    ("answers", "Right and wrong answers", sections.answers),
    ("curves", "Curves", sections.curve_charts),
    ("errors", "Predictions and residuals", sections.errors),
    ("slices", "Slices", sections.slices),
    ("candidates", "Candidates", sections.candidates),
    ("compression", "Compression", sections.compression),
    ("conversion", "Conversion", sections.nothing),
    ("profile", "Distributions", sections.profile),
    ("data", "Data", sections.nothing),
    ("lineage", "Lineage", sections.nothing),
)
"""Name of the anchor and the template, title, and function of each section."""


def render(
    card: ModelCard, profile: Profile | None = None, champion_profile: Profile | None = None
) -> str:
    """Return an HTML file without scripts and links.

    The same facts make the same file.

    Args:
        card: facts about the model. The page leaves out sections without facts.
        profile: distributions of the inputs and outputs.
        champion_profile: the same of the champion.
    """
    given = sections.ReportInput(card, profile, champion_profile)
    context = {"card": card, "profile": profile, "champion_profile": champion_profile}
    parts = []
    for name, title, values in SECTIONS:
        content = _environment().get_template(f"{name}.html").render({**context, **values(given)})
        if content.strip():
            parts.append({"name": name, "title": title, "content": Markup(content)})
    return _environment().get_template("page.html").render(card=card, sections=parts)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("perennial_trainer.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=svg.printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for format_ in (
        formatting.duration, formatting.metric, formatting.number, formatting.score,
        formatting.share, formatting.size,
    ):  # fmt: skip
        environment.filters[format_.__name__] = format_
    environment.filters.update(count=_count, column_keys=_column_keys)
    environment.globals.update(
        bar=svg.bar, colours=svg.COLOURS, depths=DEPTHS, missing=formatting.NOTHING
    )
    return environment


def _count(value: int) -> str:
    return f"{value:,}"


def _column_keys(columns: list[dict[str, object]]) -> list[str]:
    """Return the keys of all columns but their name, in order of appearance."""
    return list(dict.fromkeys(key for column in columns for key in column if key != "name"))

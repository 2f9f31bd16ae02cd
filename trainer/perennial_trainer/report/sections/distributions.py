"""The drift profile: what the model's inputs and answers looked like on held-out rows."""

from perennial_contracts.wire.profile import Distribution, Profile

from ..histogram import figure
from ..markup import Markup, element, join, note

MOST_LABELS = 12
SHOWN = 24
"""Features that are shown at once; the others are folded away."""


def distributions(profile: Profile | None, champion: Profile | None) -> Markup:
    """Small multiples: score and label first, then the features."""
    if profile is None:
        return Markup("")
    before = {feature.name: feature for feature in champion.features} if champion else {}
    about = [
        figure(seen, old, title, MOST_LABELS)
        for seen, old, title in (
            (profile.score, champion.score if champion else None, "Score"),
            (profile.label, champion.label if champion else None, "Prediction"),
        )
        if seen is not None
    ]
    parts = []
    if about:
        parts += [element("h3", "Answers"), element("div", *about, class_="multiples")]
    if profile.features:
        parts += [element("h3", "Features"), _features(profile.features, before)]
    if not parts:
        return Markup("")
    said = f"{profile.rows:,} held-out rows. Areas are shares; the faint ends of a number are open."
    if champion is not None:
        said += " The outline is what the champion's rows looked like."
    return join([*parts, note(said)])


def _features(features: list[Distribution], before: dict[str, Distribution]) -> Markup:
    drawn = [figure(feature, before.get(feature.name)) for feature in features]
    shown = element("div", *drawn[:SHOWN], class_="multiples")
    if len(drawn) <= SHOWN:
        return shown
    rest = element("div", *drawn[SHOWN:], class_="multiples")
    summary = element("summary", f"{len(drawn) - SHOWN} more features")
    return join([shown, element("details", summary, rest)])

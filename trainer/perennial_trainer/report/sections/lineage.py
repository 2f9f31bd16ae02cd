"""Where the model comes from, as text that one click selects."""

from perennial_contracts.wire.modelcard import ModelCard

from ..markup import Markup, element, facts, join

TITLES = {"retrainJob": "run"}


def lineage(card: ModelCard) -> Markup:
    """Digests, seed and trigger; then the environment."""
    known = [
        (TITLES.get(key, key), element("code", value))
        for key, value in card.lineage.items()
        if value
    ]
    packages = [
        (name, element("code", version)) for name, version in card.environment.items() if version
    ]
    parts = [facts(known)]
    if packages:
        parts += [element("h3", "Environment"), facts(packages, "columns")]
    return join(parts)

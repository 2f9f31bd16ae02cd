"""The page: what was decided, on which numbers, out of which candidates, from which data."""

import numpy as np

from perennial_contracts.modelcard import CandidateTrial, ModelCard, Side
from perennial_contracts.profile import Profile

from ..gate import TITLES
from .figures import confusion, interval
from .markup import Markup, element, facts, join, table
from .style import STYLE


def render(card: ModelCard, profile: Profile | None = None) -> str:
    """The page; the same run makes the same one but for how long the trials took."""
    title = f"{card.name} · {card.lineage.get('retrainJob', card.kind)}"
    decision = card.decision or "Evaluated"
    head = join(
        [
            Markup('<meta charset="utf-8">'),
            Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            element("title", f"{decision}: {title}"),
            element("style", Markup(STYLE)),
        ]
    )
    body = join(
        [
            element(
                "header",
                element("h1", title),
                element("span", decision, class_=f"badge {decision}"),
                element("p", _sentence(card.headline)),
            ),
            _section("Metrics", _metrics(card)),
            _section("Right and wrong answers", _confusions(card)),
            _section("Candidates", _candidates(card)),
            _section("Data", _data(card)),
            _section("Lineage", facts(list(card.lineage.items()))),
        ]
    )
    page = element("html", element("head", head), element("body", body), lang="en")
    return f"<!doctype html>\n{page}\n"


def _sentence(message: str) -> str:
    """What the verdict says after its first word."""
    said = message.partition(": ")[2]
    return f"{said[:1].upper()}{said[1:]}."


def _section(title: str, content: Markup) -> Markup:
    return element("section", element("h2", title), content)


def _title(metric: str) -> str:
    return TITLES.get(metric, metric)


def _metrics(card: ModelCard) -> Markup:
    if not card.comparisons:
        scores = card.evaluation.scores if card.evaluation else []
        return table(
            ["", "challenger"], [(_title(score.metric), f"{score.value:.4f}") for score in scores]
        )
    recent = "captured" if card.data.captured else "baseline"
    reach = max(max(abs(side.low), abs(side.high)) for side in card.comparisons)
    rows = [_compared(side, recent, reach) for side in card.comparisons]
    note = (
        "Held-out rows, which neither model has learnt from. The interval is the gain's, 95 %, by "
        "a paired bootstrap of contiguous blocks."
    )
    head = ["", "rows", "champion", "challenger", "gain between", ""]
    return join([table(head, rows, class_="wide"), element("p", note, class_="faint")])


def _compared(side: Side, recent: str, reach: float) -> tuple[Markup | str, ...]:
    middle = (side.low + side.high) / 2
    return (
        _title(side.metric),
        f"{recent if side.on == 'Recent' else 'baseline'}, {side.rows:,}",
        f"{side.champion:.4f}",
        f"{side.challenger:.4f}",
        f"{side.low:+.4f} … {side.high:+.4f}",
        interval(side.low, side.high, middle, reach),
    )


def _confusions(card: ModelCard) -> Markup:
    found = card.evaluation
    if not found or not found.matrix:
        return element("p", "Numbers are told, not classes.")
    sides = [("Champion", card.champion_matrix), ("Challenger", found.matrix)]
    maps = [confusion(name, np.array(matrix), found.classes) for name, matrix in sides if matrix]
    share = "A share is one of the rows whose truth is the row's."
    note = f"Scores are about {found.positive}. {share}" if found.positive else share
    return join([element("div", *maps, class_="side"), element("p", note, class_="faint")])


def _candidates(card: ModelCard) -> Markup:
    if not card.trials:
        return element("p", "A trainer of your own made the model; it left no list of trials.")
    rows = [
        (
            element("span", trial.kind, class_="chosen" if trial.chosen else ""),
            element("code", ", ".join(f"{key}={value}" for key, value in trial.params.items())),
            *_outcome(trial),
            "taken" if trial.chosen else "",
        )
        for trial in card.trials
    ]
    note = f"{_title(card.metric)} by cross-validation. Taken: {card.why}."
    head = ["", "settings", _title(card.metric), "±", "seconds", ""]
    return join([table(head, rows, class_="wide"), element("p", note, class_="faint")])


def _outcome(trial: CandidateTrial) -> tuple[str, str, str]:
    if trial.mean is None:
        return trial.status.lower(), "", trial.problem[:80]
    return f"{trial.mean:.4f}", f"{trial.deviation:.4f}", f"{trial.seconds:.1f}"


def _data(card: ModelCard) -> Markup:
    data = card.data
    return facts(
        [
            ("label", data.label),
            ("rows learnt from", f"{data.rows:,}"),
            ("captured rows", f"{data.captured:,}"),
            ("captured from", data.start),
            ("captured to", data.end),
            ("digest", element("code", data.digest)),
        ]
    )

"""The page: what was decided, on which numbers, out of which candidates, from which data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from perennial_contracts.modelcard import CandidateTrial
from perennial_contracts.quality import MetricName
from perennial_contracts.retrainjob import DataSummary
from perennial_contracts.training import Plan

from ..compare import Gain
from ..gate import TITLES, Verdict
from ..scores import Task
from ..search import SearchReport
from .figures import confusion, interval
from .markup import Markup, element, facts, join, table
from .style import STYLE


@dataclass(frozen=True)
class Side:
    """One of the two models on the recent rows."""

    name: str
    matrix: np.ndarray
    """Shape (classes, classes); row is the answer, column the truth."""


@dataclass(frozen=True)
class Judged:
    """All that the page tells."""

    plan: Plan
    verdict: Verdict
    task: Task
    sides: Sequence[Side]
    gains: Sequence[Gain]
    scores: Mapping[str, float]
    """Of the challenger, on the recent rows."""
    summary: DataSummary
    search: SearchReport | None
    digest: str
    """Of the challenger's bundle."""


def render(judged: Judged) -> str:
    """The page; the same run makes the same one but for how long the trials took."""
    plan = judged.plan
    title = f"{plan.model} · {plan.job}"
    head = join(
        [
            Markup('<meta charset="utf-8">'),
            Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            element("title", f"{judged.verdict.decision}: {title}"),
            element("style", Markup(STYLE)),
        ]
    )
    body = join(
        [
            element(
                "header",
                element("h1", title),
                element("span", judged.verdict.decision, class_=f"badge {judged.verdict.decision}"),
                element("p", _sentence(judged.verdict.message)),
            ),
            _section("Metrics", _metrics(judged)),
            _section("Right and wrong answers", _confusions(judged)),
            _section("Candidates", _candidates(judged.search)),
            _section("Data", _data(judged)),
            _section("Lineage", _lineage(judged)),
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


def _metrics(judged: Judged) -> Markup:
    if not judged.gains:
        scores = [(TITLES[name], f"{judged.scores[name]:.4f}") for name in _told(judged)]
        return table(["", "challenger"], scores)
    recent = "captured" if judged.summary.captured else "baseline"
    reach = max(max(abs(gain.low), abs(gain.high)) for gain in judged.gains)
    rows = [
        (
            element("strong", TITLES[gain.metric])
            if gain.metric == judged.plan.gate.metric
            else TITLES[gain.metric],
            f"{recent if gain.on == 'Recent' else 'baseline'}, {gain.rows:,}",
            f"{gain.champion:.4f}",
            f"{gain.challenger:.4f}",
            f"{gain.challenger - gain.champion:+.4f}",
            f"{gain.low:+.4f} … {gain.high:+.4f}",
            interval(gain.low, gain.high, gain.challenger - gain.champion, reach),
        )
        for gain in judged.gains
    ]
    gate = judged.plan.gate
    note = (
        f"Held-out rows, which neither model has learnt from. The interval is the gain's, 95 %, by "
        f"a paired bootstrap of contiguous blocks. The gate asks for {TITLES[gate.metric]}: a gain "
        f"of at least {gate.minImprovementPermille / 1000:+.3f} on captured rows, on the baseline "
        f"more than {-gate.maxRegressionPermille / 1000:+.3f}, and a value of at least "
        f"{gate.minValuePermille / 1000:.3f}."
    )
    head = ["", "rows", "champion", "challenger", "gain", "between", ""]
    return join([table(head, rows, class_="wide"), element("p", note, class_="faint")])


def _told(judged: Judged) -> list[MetricName]:
    return [name for name in judged.task.metrics if name in judged.scores]


def _confusions(judged: Judged) -> Markup:
    maps = [confusion(side.name, side.matrix, judged.task.classes) for side in judged.sides]
    share = "A share is one of the rows whose truth is the row's."
    note = f"Scores are about {judged.task.positive}. {share}" if judged.task.positive else share
    return join([element("div", *maps, class_="side"), element("p", note, class_="faint")])


def _candidates(search: SearchReport | None) -> Markup:
    if search is None:
        return element("p", "A trainer of your own made the model; it left no list of trials.")
    rows = [
        (
            element("span", trial.kind, class_="chosen" if index == search.chosen else ""),
            element("code", ", ".join(f"{key}={value}" for key, value in trial.params.items())),
            *_outcome(trial),
            "taken" if index == search.chosen else "",
        )
        for index, trial in enumerate(search.trials)
    ]
    ordered = "in the order of time" if search.order == "TimeOrdered" else "of shuffled rows"
    note = f"{TITLES[search.metric]} by cross-validation over folds {ordered}. Taken: {search.why}."
    head = ["", "settings", TITLES[search.metric], "±", "seconds", ""]
    return join([table(head, rows, class_="wide"), element("p", note, class_="faint")])


def _outcome(trial: CandidateTrial) -> tuple[str, str, str]:
    if trial.mean is None:
        return trial.status.lower(), "", trial.problem[:80]
    return f"{trial.mean:.4f}", f"{trial.deviation:.4f}", f"{trial.seconds:.1f}"


def _data(judged: Judged) -> Markup:
    data, summary = judged.plan.data, judged.summary
    return facts(
        [
            ("label", data.label),
            ("rows learnt from", f"{summary.rows:,}"),
            ("captured rows", f"{summary.captured:,}"),
            ("captured from", summary.start),
            ("captured to", summary.end),
            ("baseline", data.baseline),
            ("window", data.window),
            ("digest", element("code", summary.digest)),
        ]
    )


def _lineage(judged: Judged) -> Markup:
    plan = judged.plan
    champion = f"{plan.champion.uri} {plan.champion.digest}" if plan.champion else ""
    trigger = f"{plan.trigger.type}: {plan.trigger.message}".removesuffix(": ")
    return facts(
        [
            ("model", f"{plan.namespace}/{plan.model}"),
            ("run", plan.job),
            ("trigger", trigger),
            ("champion", champion),
            ("challenger", element("code", judged.digest)),
            ("seed", plan.search.seed),
            ("made for", plan.now),
        ]
    )

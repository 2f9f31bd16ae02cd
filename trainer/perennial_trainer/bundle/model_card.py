"""The model card: what was found, for machines, and for the report that shows it."""

import platform
from collections.abc import Mapping
from importlib.metadata import version

import numpy as np
import pandas as pd

from perennial_contracts.wire.modelcard import DataFacts, ModelCard, Side

from ..data.features import Feature
from ..evaluation.compare import Gain
from ..evaluation.counts import Counts
from ..evaluation.evaluation import evaluate
from ..evaluation.setup import Contest
from ..evaluation.verdict import Judgement
from ..model.cost import measure
from .manifest import PACKAGES

MOST_LABELS = 100


def make_card(contest: Contest, judged: Judgement, lineage: Mapping[str, str]) -> ModelCard:
    """Puts the facts of a run together."""
    plan, model, recent = contest.plan, contest.challenger, contest.recent
    search, message = contest.search, plan.trigger.message
    return ModelCard(
        name=f"{plan.namespace}/{plan.model}",
        decision=judged.verdict.decision,
        headline=judged.verdict.message,
        kind=contest.candidate,
        evaluation=evaluate(
            contest.task,
            recent.frame,
            contest.features,
            contest.learnt,
            recent.truth,
            judged.answers,
            plan.gate.metric,
            plan.search.seed,
        ),
        champion_matrix=_champion_matrix(contest, judged),
        comparisons=[_side(gain) for gain in judged.gains],
        metric=search.metric if search else plan.gate.metric,
        why=search.why if search else "",
        trials=search.trials if search else [],
        budget=search.budget if search else {},
        compression=contest.compression,
        data=describe_data(contest),
        size_bytes=len(model.data),
        p95_microseconds=_p95(contest),
        lineage={**lineage, "message": message} if message else lineage,
        environment=environment(),
    )


def _p95(contest: Contest) -> float:
    """Of a row: as the table of compression has it where there is one."""
    for trial in reversed(contest.compression):
        if trial.status in ("Original", "Kept") and trial.p95_microseconds is not None:
            return trial.p95_microseconds
    model = contest.challenger
    return measure(model.data, contest.recent.frame, model.features).p95_microseconds


def _champion_matrix(contest: Contest, judged: Judgement) -> list[list[int]]:
    """The champion's confusion matrix on the recent rows; empty where there is none."""
    if judged.before is None or not contest.task.classes:
        return []
    counts = Counts(contest.task, contest.recent.truth, judged.before)
    matrix: list[list[int]] = counts.matrix.tolist()
    return matrix


def _side(gain: Gain) -> Side:
    return Side(
        metric=gain.metric,
        on=gain.on,
        rows=gain.rows,
        champion=round(gain.champion, 6),
        challenger=round(gain.challenger, 6),
        low=round(gain.low, 6),
        high=round(gain.high, 6),
    )


def environment() -> dict[str, str]:
    """The versions of what decides what comes out."""
    packages = ("perennial", *PACKAGES, "onnxruntime", "pandas")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def describe_data(contest: Contest) -> DataFacts:
    """What was learnt from and judged on; columns are described by the recent rows."""
    summary, learnt = contest.summary, contest.learnt
    counts: dict[str, int] = {}
    if contest.task.classes:
        names, many = np.unique(learnt.astype(str), return_counts=True)
        counts = {str(name): int(count) for name, count in zip(names, many, strict=True)}
        counts = dict(list(counts.items())[:MOST_LABELS])
    return DataFacts(
        digest=summary.digest,
        rows=summary.rows,
        captured=summary.captured,
        held_out=sum(len(rows.frame) for rows in contest.held_out),
        start=summary.start,
        end=summary.end,
        label=contest.plan.data.label,
        labels=counts,
        columns=[_column(feature, contest.recent.frame) for feature in contest.features],
    )


def _column(feature: Feature, frame: pd.DataFrame) -> dict[str, str | int | float | None]:
    if feature.is_text:
        texts = frame[feature.name].to_numpy(object)
        return {
            "name": feature.name,
            "type": "text",
            "missing": int((texts == "").sum()),
            "distinct": len(set(texts[texts != ""])),
        }
    numbers = frame[feature.name].to_numpy(np.float32).astype(np.float64)
    known = numbers[~np.isnan(numbers)]
    told: dict[str, str | int | float | None] = {
        "name": feature.name,
        "type": "number",
        "missing": len(numbers) - len(known),
        "distinct": len(np.unique(known)),
    }
    if known.size:
        for name, value in (("mean", known.mean()), ("min", known.min()), ("max", known.max())):
            told[name] = float(f"{value:.6g}")
    return told

"""The model card of a run: its facts for programs, and for the report."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from perennial_contracts.wire.modelcard import DataFacts, ModelCard, Side

from ..data.features import Feature
from ..evaluation.classification import ClassificationStatistics
from ..evaluation.compare import Gain
from ..evaluation.evaluation import evaluate
from ..evaluation.judgement import Judgement
from ..evaluation.setup import EvaluationSetup
from ..model.cost import measure_cost
from .manifest import PACKAGES, read_versions

MOST_LABELS = 100


def make_card(
    setup: EvaluationSetup, judgement: Judgement, lineage: Mapping[str, str]
) -> ModelCard:
    """Return the model card of a run."""
    plan, model = setup.plan, setup.challenger
    search, message = setup.search, plan.trigger.message
    return ModelCard(
        name=f"{plan.namespace}/{plan.model}",
        decision=judgement.verdict.decision,
        headline=judgement.verdict.reasoning,
        kind=setup.candidate,
        evaluation=evaluate(judgement.recent, setup.learnt, plan.gate.metric, plan.search.seed),
        champion_matrix=_champion_matrix(judgement),
        comparisons=[_side(gain) for gain in judgement.gains],
        metric=search.metric if search else plan.gate.metric,
        why=search.why if search else "",
        trials=search.trials if search else [],
        budget=search.budget if search else {},
        compression=setup.compression,
        data=_describe_data(setup),
        size_bytes=len(model.data),
        p95_microseconds=_p95(setup),
        lineage={**lineage, "message": message} if message else lineage,
        environment=read_versions(("perennial", *PACKAGES, "onnxruntime", "pandas")),
    )


def _p95(setup: EvaluationSetup) -> float:
    """Return the time of a row, from the trials of a compression if there are any."""
    for trial in reversed(setup.compression):
        if trial.status in ("Original", "Kept") and trial.p95_microseconds is not None:
            return trial.p95_microseconds
    model = setup.challenger
    return measure_cost(model.data, setup.recent.frame, model.features).p95_microseconds


def _champion_matrix(judgement: Judgement) -> list[list[int]]:
    """Return the champion's confusion matrix on the recent rows, or an empty one."""
    rows = judgement.recent
    if judgement.champion is None or not rows.task.classes:
        return []
    statistics = ClassificationStatistics(rows.task, rows.truth, judgement.champion)
    matrix: list[list[int]] = statistics.matrix.tolist()
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


def _describe_data(setup: EvaluationSetup) -> DataFacts:
    """Describe training and held-out rows; the columns are those of the recent rows."""
    summary, learnt = setup.summary, setup.learnt
    counts: dict[str, int] = {}
    if setup.task.classes:
        names, numbers = np.unique(learnt.astype(str), return_counts=True)
        counts = {str(name): int(count) for name, count in zip(names, numbers, strict=True)}
        counts = dict(list(counts.items())[:MOST_LABELS])
    return DataFacts(
        digest=summary.digest,
        rows=summary.rows,
        captured=summary.captured,
        held_out=sum(len(rows.frame) for rows in setup.held_out),
        start=summary.start,
        end=summary.end,
        label=setup.plan.data.label,
        labels=counts,
        columns=[_column(feature, setup.recent.frame) for feature in setup.features],
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
    present = numbers[~np.isnan(numbers)]
    facts: dict[str, str | int | float | None] = {
        "name": feature.name,
        "type": "number",
        "missing": len(numbers) - len(present),
        "distinct": len(np.unique(present)),
    }
    if present.size:
        for name, value in (
            ("mean", present.mean()), ("min", present.min()), ("max", present.max()),
        ):  # fmt: skip
            facts[name] = float(f"{value:.6g}")
    return facts

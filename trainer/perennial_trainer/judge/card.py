"""The model card: what was found, for machines, and for the report that shows it."""

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version

import numpy as np
import pandas as pd

from perennial_contracts.modelcard import (
    CompressionTrial,
    DataFacts,
    Evaluation,
    ModelCard,
    Side,
)
from perennial_contracts.retrainjob import DataSummary
from perennial_contracts.training import Plan

from ..bundle import PACKAGES
from ..compare import Gain
from ..features import Feature
from ..gate import Verdict
from ..search import SearchReport

MOST_LABELS = 100


def make_card(
    plan: Plan,
    verdict: Verdict,
    *,
    candidate: str,
    evaluation: Evaluation,
    champion_matrix: np.ndarray | None,
    gains: Sequence[Gain],
    search: SearchReport | None,
    data: DataFacts,
    lineage: Mapping[str, str],
    size: int,
    p95_microseconds: float | None,
    compression: Sequence[CompressionTrial] = (),
) -> ModelCard:
    """Puts the facts of a run together."""
    return ModelCard(
        name=f"{plan.namespace}/{plan.model}",
        decision=verdict.decision,
        headline=verdict.message,
        kind=candidate,
        evaluation=evaluation,
        champion_matrix=[] if champion_matrix is None else champion_matrix.tolist(),
        comparisons=[
            Side(
                metric=gain.metric,
                on=gain.on,
                rows=gain.rows,
                champion=round(gain.champion, 6),
                challenger=round(gain.challenger, 6),
                low=round(gain.low, 6),
                high=round(gain.high, 6),
            )
            for gain in gains
        ],
        metric=search.metric if search else plan.gate.metric,
        why=search.why if search else "",
        trials=search.trials if search else [],
        budget=search.budget if search else {},
        p95_microseconds=p95_microseconds,
        compression=list(compression),
        data=data,
        size_bytes=size,
        lineage={**lineage, "message": plan.trigger.message} if plan.trigger.message else lineage,
        environment=environment(),
    )


def environment() -> dict[str, str]:
    """The versions of what decides what comes out."""
    packages = ("perennial", *PACKAGES, "onnxruntime", "pandas")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def describe_data(
    summary: DataSummary,
    label: str,
    frame: pd.DataFrame,
    features: Sequence[Feature],
    learnt: np.ndarray,
    held_out: int,
) -> DataFacts:
    """What was learnt from and judged on.

    Args:
        summary: of the rows, by assemble.
        label: the column of the truth.
        frame: clean held-out rows, which the columns are described by.
        features: its columns.
        learnt: the truth of the rows that were learnt from; labels are counted where texts.
        held_out: rows that were judged on.
    """
    counts: dict[str, int] = {}
    if learnt.dtype.kind == "O":
        names, many = np.unique(learnt.astype(str), return_counts=True)
        counts = {str(name): int(count) for name, count in zip(names, many, strict=True)}
        counts = dict(list(counts.items())[:MOST_LABELS])
    return DataFacts(
        digest=summary.digest,
        rows=summary.rows,
        captured=summary.captured,
        held_out=held_out,
        start=summary.start,
        end=summary.end,
        label=label,
        labels=counts,
        columns=[_column(feature, frame) for feature in features],
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

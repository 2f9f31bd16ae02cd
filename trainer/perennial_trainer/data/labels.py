"""Labels that came back as texts, made of the kind that the model learns."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from perennial_contracts.wire.modelcard import TaskName
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from .features import as_text


def are_whole(texts: Collection[str]) -> bool:
    """Whether all are whole numbers as Python writes them, so that nothing is lost as a number."""
    return all(_is_whole(text) for text in texts)


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text == str(int(text))


def can_be_learnt(texts: np.ndarray, known: Collection[str] | None, task: TaskName) -> np.ndarray:
    """Which labels a model can learn; shape (rows,), bool.

    Args:
        texts: shape (rows,): the labels as they came back.
        known: the classes; None where nothing tells them.
        task: of numbers all that are finite can be learnt.
    """
    if task == "Regression":
        numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce")
        return np.asarray(np.isfinite(numbers.to_numpy(np.float64)))
    if known is None:
        return np.ones(len(texts), bool)
    return np.isin(texts.astype(str), sorted(known))


def left_out(texts: np.ndarray, task: TaskName) -> str:
    """What is told of rows whose labels cannot be learnt; empty where there are none."""
    if not len(texts):
        return ""
    why = "no numbers" if task == "Regression" else "neither the model's nor the baseline's"
    shown = ", ".join(text[:40] for text in sorted(set(texts))[:10])
    return f"{len(texts):,} rows are left out, whose labels are {why}: {shown}"


def known(champion: Sequence[str] | None, baseline: np.ndarray | None) -> set[str] | None:
    """The labels that there are; None where neither the model nor a baseline tells.

    Raises:
        StepError: DataUnreadable, where the two have none in common.
    """
    of_baseline = set(np.unique(as_text(baseline))) if baseline is not None else None
    if champion and of_baseline and not of_baseline & set(champion):
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"data.label: expected the labels that the model answers, {', '.join(champion[:10])}, "
            f"got {', '.join(sorted(of_baseline)[:10])}",
        )
    if not champion and of_baseline is None:
        return None
    return set(champion or ()) | (of_baseline or set())


def as_kind(texts: np.ndarray, numbers: bool) -> np.ndarray:
    """Texts as int64, or as they are; shape (rows,)."""
    return np.array([int(text) for text in texts], np.int64) if numbers else texts

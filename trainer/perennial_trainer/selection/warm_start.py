"""The model that serves, as a search that begins with it sees it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from perennial_contracts.api.search import Candidate
from perennial_contracts.wire.bundle import MANIFEST_NAME, Bundle
from perennial_contracts.wire.run_plan import CANDIDATE, EXTRA_FOLDER, SETTINGS

from ..data.features import Feature
from ..evaluation.task import Task
from . import model_kinds as candidates
from . import warm_start as going_on
from .model_kinds import BALANCED, WEIGHS_CLASSES

LEAST_FRESH = 150
"""Rows that the champion has not learnt from: a model that goes on from it is judged on these
alone."""


class NotFittingError(Exception):
    """There is nothing to begin with; the message says why."""


@dataclass(frozen=True)
class Champion:
    """Where a search begins."""

    kind: Candidate
    params: Mapping[str, Any]
    trees: going_on.Trees | None = None
    """What a fit can go on from; None where there is nothing, and where no rows can tell whether
    that is any good."""
    fresh: int = 0
    """The latest rows to learn from that it has not learnt from."""


def read(
    folder: Path, features: Sequence[Feature], task: Task, fresh: int | None
) -> tuple[Champion, str]:
    """The champion, and why its fit cannot be gone on from; empty where it can.

    Args:
        folder: its files.
        features: of the rows to learn from.
        task: what is learnt.
        fresh: the latest of these rows, which it has not learnt from; None where that is not known.

    Raises:
        NotFittingError: where there is none, or it does not say what it is, or is of something
            else.
    """
    if not folder.is_dir():
        raise NotFittingError("there is no champion")
    try:
        bundle = Bundle.model_validate_json((folder / MANIFEST_NAME).read_bytes())
    except (OSError, ValidationError):
        raise NotFittingError("the champion is no bundle, which would say what it is") from None
    kind, params = _settings(bundle.lineage)
    _check(bundle, features, task)
    trees = going_on.read(folder / EXTRA_FOLDER, kind, bundle.labels or [])
    why = _why_anew(kind, params, trees, fresh)
    return Champion(kind, params, None if why else trees, fresh or 0), why


def _why_anew(
    kind: Candidate, params: Mapping[str, Any], trees: going_on.Trees | None, fresh: int | None
) -> str:
    if kind not in going_on.TREES_FILES:
        return f"{kind} cannot go on from what it has learnt"
    if trees is None:
        return "its bundle holds no trees, as a search with warmStart leaves them"
    asked = int(params.get("n_estimators", 0))
    if (have := trees.count()) + going_on.added(asked) > going_on.MOST * asked:
        return f"it has {have} trees, and the settings ask for {asked}"
    if fresh is None:
        return "its bundle does not say until when it has learnt"
    if fresh < LEAST_FRESH:
        return f"it has learnt from all rows but {fresh}; {LEAST_FRESH} are needed to judge it on"
    return ""


def _settings(lineage: Mapping[str, str]) -> tuple[Candidate, Mapping[str, Any]]:
    """Kind and settings, of which none is taken that the search does not use itself."""
    kind: Any = lineage.get(CANDIDATE, "")
    if kind not in candidates.SETTINGS or SETTINGS not in lineage:
        raise NotFittingError("the champion's bundle does not say its kind and settings")
    known = {
        name: value
        for params in (*candidates.SETTINGS[kind], BALANCED if kind in WEIGHS_CLASSES else {})
        for name, value in params.items()
    }
    try:
        told = json.loads(lineage[SETTINGS])
        if all(name in known and _is_like(value, known[name]) for name, value in told.items()):
            return kind, {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in told.items()
            }
    except (ValueError, AttributeError):
        pass
    raise NotFittingError(f"the champion's settings are none of {kind}'s: {lineage[SETTINGS]}")


def _is_like(value: Any, known: Any) -> bool:
    if isinstance(known, str):
        return bool(value == known)
    if isinstance(known, tuple):
        return isinstance(value, list) and all(type(one) is int for one in value)
    return type(value) is type(known) or (type(value) is int and isinstance(known, float))


def _check(bundle: Bundle, features: Sequence[Feature], task: Task) -> None:
    had = [(tensor.name, tensor.datatype == "BYTES") for tensor in bundle.inputs]
    have = [(feature.name, feature.is_text) for feature in features]
    if had != have:
        changed = sorted({name for name, _ in set(had) ^ set(have)}) or ["their order"]
        raise NotFittingError(f"the features have changed: {', '.join(changed)}")
    if bundle.task != task.kind:
        raise NotFittingError(f"the champion's task is {bundle.task}, this one's {task.kind}")
    if set(bundle.labels or ()) != set(task.classes):
        raise NotFittingError(
            f"the classes have changed: {', '.join(bundle.labels or ())} to "
            f"{', '.join(task.classes)}"
        )
    if bundle.positive != task.positive:
        raise NotFittingError(
            f"the positive class has changed: {bundle.positive} to {task.positive}"
        )

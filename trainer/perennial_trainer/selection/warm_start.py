"""Start of a search with the champion: its kind, settings and trees."""

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
from . import boosted_trees, model_kinds
from .boosted_trees import BoostedTrees
from .model_kinds import BALANCED, WEIGHS_CLASSES

LEAST_FRESH = 150
"""Least rows that are new to the champion: a model that continues from it is judged on these
alone."""


class NoWarmStartError(Exception):
    """The search cannot begin with the champion; the message gives the reason."""


@dataclass(frozen=True)
class WarmStart:
    """The champion, as the start of a search."""

    kind: Candidate
    params: Mapping[str, Any]
    trees: BoostedTrees | None = None
    """The trees to continue from; None if there are none, or if no rows can judge the result."""
    fresh: int = 0
    """Number of the latest training rows that are new to the champion."""


def read(
    folder: Path, features: Sequence[Feature], task: Task, fresh: int | None
) -> tuple[WarmStart, str]:
    """Return the start, and why its trees cannot be continued; empty if they can.

    Args:
        folder: the champion's files.
        features: features of the training rows.
        task: the task.
        fresh: number of the latest training rows that are new to the champion; None if unknown.

    Raises:
        NoWarmStartError: if there is no champion, or it lacks the data, or has another task.
    """
    if not folder.is_dir():
        raise NoWarmStartError("there is no champion")
    try:
        bundle = Bundle.model_validate_json((folder / MANIFEST_NAME).read_bytes())
    except (OSError, ValidationError):
        raise NoWarmStartError(
            "the champion is no bundle, which would contain its settings"
        ) from None
    kind, params = _settings(bundle.lineage)
    _check(bundle, features, task)
    trees = boosted_trees.read(folder / EXTRA_FOLDER, kind, bundle.labels or [])
    problem = _why_from_scratch(kind, params, trees, fresh)
    return WarmStart(kind, params, None if problem else trees, fresh or 0), problem


def _why_from_scratch(
    kind: Candidate, params: Mapping[str, Any], trees: BoostedTrees | None, fresh: int | None
) -> str:
    if kind not in boosted_trees.TREES_FILES:
        return f"{kind} cannot continue training"
    if trees is None:
        return "its bundle has no trees, which a search with warmStart stores"
    wanted = int(params.get("n_estimators", 0))
    if (have := trees.count()) + boosted_trees.count_added(wanted) > boosted_trees.MOST * wanted:
        return f"it has {have} trees, and the settings have {wanted}"
    if fresh is None:
        return "its bundle lacks the time of its last training row"
    if fresh < LEAST_FRESH:
        return f"it has learned from all rows but {fresh}; {LEAST_FRESH} are needed to judge it on"
    return ""


def _settings(lineage: Mapping[str, str]) -> tuple[Candidate, Mapping[str, Any]]:
    """Return kind and settings, if the search itself could use all of them."""
    kind: Any = lineage.get(CANDIDATE, "")
    if kind not in model_kinds.SETTINGS or SETTINGS not in lineage:
        raise NoWarmStartError("the champion's bundle lacks its kind and settings")
    allowed = {
        name: value
        for params in (*model_kinds.SETTINGS[kind], BALANCED if kind in WEIGHS_CLASSES else {})
        for name, value in params.items()
    }
    try:
        params = json.loads(lineage[SETTINGS])
        if all(
            name in allowed and _has_type_of(value, allowed[name]) for name, value in params.items()
        ):
            return kind, {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in params.items()
            }
    except (ValueError, AttributeError):
        pass
    raise NoWarmStartError(
        f"the champion's settings are not settings of {kind}: {lineage[SETTINGS]}"
    )


def _has_type_of(value: Any, example: Any) -> bool:
    if isinstance(example, str):
        return bool(value == example)
    if isinstance(example, tuple):
        return isinstance(value, list) and all(type(each) is int for each in value)
    return type(value) is type(example) or (type(value) is int and isinstance(example, float))


def _check(bundle: Bundle, features: Sequence[Feature], task: Task) -> None:
    had = [(tensor.name, tensor.datatype == "BYTES") for tensor in bundle.inputs]
    have = [(feature.name, feature.is_text) for feature in features]
    if had != have:
        changed = sorted({name for name, _ in set(had) ^ set(have)}) or ["their order"]
        raise NoWarmStartError(f"the features have changed: {', '.join(changed)}")
    if bundle.task != task.kind:
        raise NoWarmStartError(
            f"the champion's task is {bundle.task}, and that of the search is {task.kind}"
        )
    if set(bundle.labels or ()) != set(task.classes):
        raise NoWarmStartError(
            f"the classes have changed: {', '.join(bundle.labels or ())} to "
            f"{', '.join(task.classes)}"
        )
    if bundle.positive != task.positive:
        raise NoWarmStartError(
            f"the positive class has changed: {bundle.positive} to {task.positive}"
        )

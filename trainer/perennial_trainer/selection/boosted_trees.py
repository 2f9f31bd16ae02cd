"""Fits that go on from the champion's trees: of XGBoost and of LightGBM.

The trees are kept beside the model in their library's own format, which is the same bytes for the
same trees; that of skops, which scikit-learn's models would need, is not. Trees split columns by
their number, so the columns that texts are spread over must stay what they were: those are kept,
too, as plain JSON.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, TypeAdapter
from sklearn.pipeline import Pipeline

from perennial_contracts.api.search import Candidate

from ..data.features import as_text

TREES_FILES: Mapping[Candidate, str] = {"XGBoost": "trees.ubj", "LightGBM": "trees.txt"}
TEXTS_FILE = "texts.json"
SHARE = 4
"""One in so many of the trees that the settings ask for is added."""
MOST = 2
"""Times the trees that the settings ask for: beyond that it begins anew, or it would grow for
ever."""


class Texts(BaseModel):
    """What the encoder knows of a feature: texts with a column each, and those that share one."""

    often: list[str]
    rarely: list[str] = []


_BY_FEATURE = TypeAdapter(dict[str, Texts])


@dataclass(frozen=True)
class Trees:
    """The champion's trees, and what they split."""

    kind: Candidate
    booster: bytes
    texts: Mapping[str, Texts]
    classes: Sequence[str]
    """In the order of the model's own numbers; none where numbers are told."""

    def count(self) -> int:
        """How many rounds of boosting they are."""
        booster = self.load()
        rounds = booster.num_boosted_rounds if self.kind == "XGBoost" else booster.current_iteration
        return int(rounds())

    def load(self) -> Any:
        """The booster.

        Raises:
            Exception: whatever the library raises for what it cannot read.
        """
        if self.kind == "XGBoost":
            return import_module("xgboost").Booster(model_file=bytearray(self.booster))
        return import_module("lightgbm").Booster(model_str=self.booster.decode())


def read(folder: Path, kind: Candidate, classes: Sequence[str]) -> Trees | None:
    """The trees that a search has left; None where it left none that can be read."""
    if kind not in TREES_FILES:
        return None
    try:
        texts = _BY_FEATURE.validate_json((folder / TEXTS_FILE).read_bytes())
        trees = Trees(kind, (folder / TREES_FILES[kind]).read_bytes(), texts, classes)
        # XGBoost ends the process over a file of nothing; for others the libraries raise errors
        # of their own.
        return trees if trees.booster and trees.count() else None
    except Exception:
        return None


def files(pipeline: Pipeline, kind: Candidate) -> dict[str, bytes]:
    """What the next search goes on from, by file name; nothing for kinds that cannot."""
    if kind not in TREES_FILES:
        return {}
    model = pipeline.named_steps["model"]
    trees = (
        bytes(model.get_booster().save_raw("ubj"))
        if kind == "XGBoost"
        else model.booster_.model_to_string().encode()
    )
    known: dict[str, Texts] = {}
    for name, encoder, columns in pipeline.named_steps["columns"].transformers_:
        if name == "texts":
            rare = getattr(encoder, "infrequent_categories_", [None] * len(columns))
            for column, every, few in zip(columns, encoder.categories_, rare, strict=True):
                rarely = [] if few is None else few.tolist()
                often = [text for text in every.tolist() if text not in set(rarely)]
                known[column] = Texts(often=often, rarely=rarely)
    return {TREES_FILES[kind]: trees, TEXTS_FILE: _BY_FEATURE.dump_json(known, indent=1) + b"\n"}


def fit(pipeline: Pipeline, trees: Trees, frame: pd.DataFrame, labels: np.ndarray) -> None:
    """Fits a pipeline by adding to the trees.

    Args:
        pipeline: unfitted, of the trees' kind.
        trees: where it goes on from.
        frame: clean rows.
        labels: shape (rows,): int64 or texts; float64 where numbers are learnt.

    Raises:
        ValueError: where the labels are others than the trees'.
    """
    if trees.classes and (have := list(as_text(np.unique(labels)))) != list(trees.classes):
        raise ValueError(
            f"expected the champion's classes to go on, {', '.join(trees.classes)}, got "
            f"{', '.join(have)}"
        )
    columns, model = pipeline.named_steps["columns"], pipeline.named_steps["model"]
    columns.fit(_made_up(trees.texts, frame))
    model.set_params(n_estimators=added(model.n_estimators))
    begin = {"xgb_model" if trees.kind == "XGBoost" else "init_model": trees.load()}
    model.fit(columns.transform(frame), labels, **begin)
    if trees.kind == "LightGBM":
        # It holds on to the one that it went on from, which is none of the types that are trusted.
        model._Booster = copy(model.booster_)


def added(asked: int) -> int:
    """How many trees are added where the settings ask for so many."""
    return max(1, asked // SHARE)


def _made_up(texts: Mapping[str, Texts], frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of which the encoder learns the columns that it had: what is rare comes once there."""
    by_feature = {
        name: [*known.often, *known.often, *known.rarely] or [""] for name, known in texts.items()
    }
    rows = max(map(len, by_feature.values()), default=1)
    made = {name: values + values[:1] * (rows - len(values)) for name, values in by_feature.items()}
    numbers = np.zeros(rows, np.float32)
    return pd.DataFrame(
        {
            name: np.array(made[name], object) if name in made else numbers
            for name in map(str, frame.columns)
        }
    )

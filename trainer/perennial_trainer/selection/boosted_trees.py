"""Training that continues from the champion's trees, for XGBoost and LightGBM.

The trees are stored beside the model in their library's own format, which has the same bytes for
the same trees. That of skops, which scikit-learn's models would need, has not. Trees split columns
by their number, so the columns of encoded texts must stay the same: they are stored too, as JSON.
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

from ..data.labels import as_text

TREES_FILES: Mapping[Candidate, str] = {"XGBoost": "trees.ubj", "LightGBM": "trees.txt"}
TEXTS_FILE = "texts.json"
SHARE = 4
"""One in so many of the trees in the settings is added."""
MOST = 2
"""Limit of the trees, as a multiple of those in the settings. Beyond it training starts from
scratch, or the model would grow forever."""


class Texts(BaseModel):
    """Texts of a feature in the encoder: with a column each, and with a shared one."""

    often: list[str]
    rarely: list[str] = []


_BY_FEATURE = TypeAdapter(dict[str, Texts])


@dataclass(frozen=True)
class BoostedTrees:
    """The champion's trees, with the columns that they split."""

    kind: Candidate
    booster: bytes
    texts: Mapping[str, Texts]
    classes: Sequence[str]
    """In the order of the model's own numbers; none for a regression."""

    def count(self) -> int:
        """Return the number of rounds of boosting."""
        booster = self.load()
        rounds = booster.num_boosted_rounds if self.kind == "XGBoost" else booster.current_iteration
        return int(rounds())

    def load(self) -> Any:
        """Return the booster.

        Raises:
            Exception: the library's error if it cannot read the trees.
        """
        if self.kind == "XGBoost":
            return import_module("xgboost").Booster(model_file=bytearray(self.booster))
        return import_module("lightgbm").Booster(model_str=self.booster.decode())


def read(folder: Path, kind: Candidate, classes: Sequence[str]) -> BoostedTrees | None:
    """Return the trees that a search stored, None if there are none that can be read."""
    if kind not in TREES_FILES:
        return None
    try:
        texts = _BY_FEATURE.validate_json((folder / TEXTS_FILE).read_bytes())
        trees = BoostedTrees(kind, (folder / TREES_FILES[kind]).read_bytes(), texts, classes)
        # XGBoost ends the process over an empty file; for other files the libraries raise errors
        # of their own.
        return trees if trees.booster and trees.count() else None
    except Exception:
        return None


def files(pipeline: Pipeline, kind: Candidate) -> dict[str, bytes]:
    """Return the files that the next search continues from; none for other kinds."""
    if kind not in TREES_FILES:
        return {}
    model = pipeline.named_steps["model"]
    trees = (
        bytes(model.get_booster().save_raw("ubj"))
        if kind == "XGBoost"
        else model.booster_.model_to_string().encode()
    )
    texts: dict[str, Texts] = {}
    for name, encoder, columns in pipeline.named_steps["columns"].transformers_:
        if name == "texts":
            rare = getattr(encoder, "infrequent_categories_", [None] * len(columns))
            for column, every, few in zip(columns, encoder.categories_, rare, strict=True):
                rarely = [] if few is None else few.tolist()
                often = [text for text in every.tolist() if text not in set(rarely)]
                texts[column] = Texts(often=often, rarely=rarely)
    return {TREES_FILES[kind]: trees, TEXTS_FILE: _BY_FEATURE.dump_json(texts, indent=1) + b"\n"}


def fit(pipeline: Pipeline, trees: BoostedTrees, frame: pd.DataFrame, labels: np.ndarray) -> None:
    """Fit a pipeline by adding trees.

    Args:
        pipeline: an unfitted pipeline of the trees' kind.
        trees: the trees to continue from.
        frame: clean rows.
        labels: shape (rows,): int64 or texts; float64 for a regression.

    Raises:
        ValueError: if the labels are not those of the trees.
    """
    if trees.classes and (have := list(as_text(np.unique(labels)))) != list(trees.classes):
        raise ValueError(
            f"expected the champion's classes to continue from its trees, "
            f"{', '.join(trees.classes)}, got {', '.join(have)}"
        )
    columns, model = pipeline.named_steps["columns"], pipeline.named_steps["model"]
    columns.fit(_encoder_rows(trees.texts, frame))
    model.set_params(n_estimators=count_added(model.n_estimators))
    start = {"xgb_model" if trees.kind == "XGBoost" else "init_model": trees.load()}
    model.fit(columns.transform(frame), labels, **start)
    if trees.kind == "LightGBM":
        # The booster refers to the one it continued from, whose type is not trusted by skops.
        model._Booster = copy(model.booster_)


def count_added(trees: int) -> int:
    """Return the number of trees to add for this number of trees in the settings."""
    return max(1, trees // SHARE)


def _encoder_rows(texts: Mapping[str, Texts], frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows from which the encoder learns the champion's columns.

    Rare texts occur only once.
    """
    by_feature = {
        name: [*each.often, *each.often, *each.rarely] or [""] for name, each in texts.items()
    }
    rows = max(map(len, by_feature.values()), default=1)
    filled = {
        name: values + values[:1] * (rows - len(values)) for name, values in by_feature.items()
    }
    numbers = np.zeros(rows, np.float32)
    return pd.DataFrame(
        {
            name: np.array(filled[name], object) if name in filled else numbers
            for name in map(str, frame.columns)
        }
    )

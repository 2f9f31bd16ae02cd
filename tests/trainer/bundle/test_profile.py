"""The drift profile of a prepared model, on the user's sample."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from support.capturing import write_parquet
from support.preparing import convert_model, pipeline

from perennial_contracts.wire.profile import Profile
from perennial_runtime.engine.model import LoadedModel
from perennial_runtime.service import Service
from perennial_storage.fetch import fetch as fetch_bundle


def counted(folder: Path, feeds: dict[str, np.ndarray]) -> Any:
    """Return the counters of a runtime that serves a bundle, after one request."""
    engine = LoadedModel(fetch_bundle(str(folder), None, folder.parent / "cache", 0), 1)
    service = Service("m", engine, "pod")
    names = [tensor.name for tensor in engine.outputs]
    service.monitor.record(feeds, dict(zip(names, engine.run(feeds, names), strict=True)))
    return service.monitor.counters()


def test_a_regressor_of_a_table_has_a_profile_of_features_and_predictions(tmp_path: Path) -> None:
    _, frame, _ = pipeline()
    truth = frame["wind"] * 2 + frame["delay"]
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["wind", "delay"]),
            ("texts", OneHotEncoder(handle_unknown="ignore"), ["carrier"]),
        ]
    )
    write_parquet(frame, tmp_path / "rows.parquet")
    sample = str(tmp_path / "rows.parquet")
    folder = convert_model(
        tmp_path, make_pipeline(columns, LinearRegression()).fit(frame, truth), sample=sample
    )
    profile = Profile.model_validate_json((folder / "profile.json").read_bytes())
    assert [feature.name for feature in profile.features] == ["wind", "delay", "carrier"]
    assert profile.score is not None
    assert sum(profile.score.counts) == profile.rows == 300
    assert profile.label is None
    feeds = {name: frame[[name]].to_numpy() for name in frame}
    counters = counted(folder, feeds)
    # The same rows fall into the same bins.
    assert counters.score == profile.score.counts
    assert counters.features == {each.name: each.counts for each in profile.features}


@pytest.mark.parametrize("kind", ["Classification", "Regression"])
def test_a_model_of_a_matrix_has_a_profile_of_its_predictions(tmp_path: Path, kind: str) -> None:
    random = np.random.default_rng(0)
    table = random.normal(size=(300, 3)).astype(np.float32)
    model: Any = LinearRegression().fit(table, table.sum(axis=1))
    if kind == "Classification":
        model = LogisticRegression().fit(table, np.where(table[:, 0] > 0, "late", "early"))
    write_parquet(pd.DataFrame(table, columns=list("abc")), tmp_path / "rows.parquet")
    folder = convert_model(tmp_path, model, sample=str(tmp_path / "rows.parquet"))
    profile = Profile.model_validate_json((folder / "profile.json").read_bytes())
    assert (profile.features, profile.rows) == ([], 300)
    assert profile.score is not None
    counters = counted(folder, {"input": table})
    assert counters.score == profile.score.counts
    assert counters.label == (profile.label.counts if profile.label else None)
    assert (profile.label is not None) is (kind == "Classification")
    assert counters.rows == 300

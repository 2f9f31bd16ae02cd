"""XGBoost and LightGBM, from the search to a published ONNX model."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.capturing import make_plan, write_parquet

from perennial_contracts.api.retrainjob_status import DataSummary
from perennial_contracts.wire.run_plan import TrainingResult
from perennial_trainer.settings import StepSettings
from perennial_trainer.steps import judge, train

COLUMNS = ["gap", "wind", "carrier", "hour"]


BOOSTERS = ["LightGBM", "XGBoost"]


@pytest.fixture(params=BOOSTERS)
def booster(request) -> str:
    pytest.importorskip(request.param.lower())
    return request.param


def run(root: Path, table: pd.DataFrame, label: str, **changes) -> TrainingResult:
    """Train a first model on three quarters of the rows and judge it on the others."""
    settings = StepSettings("judge", root / "in", root / "held", root / "left", None, 0)
    cut = len(table) * 3 // 4
    write_parquet(table[:cut], settings.input / "train.parquet")
    write_parquet(table[cut:], settings.holdout / "recent.parquet")
    summary = DataSummary(digest="sha256:1", rows=cut, captured=len(table) - cut)
    (settings.holdout / "data.json").write_text(summary.model_dump_json())
    plan = make_plan(root / "out", data={"label": label}, champion=None, **changes)
    train.run(plan, settings)
    return judge.run(plan, settings)


def of_lateness(root: Path, rows, kind: str) -> TrainingResult:
    search = {"candidates": [kind], "maxTrials": 1}
    return run(root, rows(1200, 1, drift=0.8), "late", search=search)


def test_a_boosted_classifier_of_the_search_is_published(tmp_path, rows, booster):
    result = of_lateness(tmp_path, rows, booster)
    assert result.decision == "Accepted", result.message
    assert result.candidate == booster


def test_two_runs_on_the_same_rows_publish_the_same_model(tmp_path, rows, booster):
    first, second = (of_lateness(tmp_path / name, rows, booster) for name in ("a", "b"))
    assert first.challenger is not None
    assert second.challenger is not None
    models = [Path(r.challenger.uri, "model.onnx").read_bytes() for r in (first, second)]
    assert models[0] == models[1]
    assert first.challenger.digest == second.challenger.digest


def test_a_boosted_regressor_of_the_search_is_published(tmp_path, rows, booster):
    table = rows(1200, 1)
    noise = np.random.default_rng(0).normal(size=len(table))
    minutes = 3 * table["wind"] + table["hour"] / 2 + noise
    result = run(
        tmp_path,
        table[COLUMNS].assign(minutes=minutes),
        "minutes",
        search={"task": "Regression", "metric": "rmse", "candidates": [booster], "maxTrials": 1},
        gate={"metric": "rmse"},
    )
    assert result.decision == "Accepted", result.message
    assert result.candidate == booster


@pytest.mark.parametrize(
    "module", ["perennial_trainer.steps.assemble", "perennial_trainer.conversion.sklearn_to_onnx"]
)
def test_boosters_are_imported_only_for_models_that_have_one(module):
    program = (
        f"import sys, {module}; print({{'xgboost', 'lightgbm', 'onnxmltools'}} & {{*sys.modules}})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"

"""XGBoost and LightGBM, from the search to a published ONNX model."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from support.capturing import make_plan, write_parquet

from perennial_contracts.api.retrainjob_status import DataSummary
from perennial_contracts.wire.run_plan import TrainingResult
from perennial_trainer import conversion as formats
from perennial_trainer.conversion import scikit_learn
from perennial_trainer.settings import StepSettings
from perennial_trainer.steps import judge, train

COLUMNS = ["gap", "wind", "carrier", "hour"]
BOOSTERS = ["LightGBM", "XGBoost"]


@pytest.fixture(params=BOOSTERS)
def booster(request) -> str:
    pytest.importorskip(request.param.lower())
    return request.param


def run(root: Path, table: pd.DataFrame, label: str, **changes) -> TrainingResult:
    """Trains a first model on three quarters of some rows and judges it on the others."""
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


def test_a_classifier_that_the_search_finds_is_published(tmp_path, rows, booster):
    result = of_lateness(tmp_path, rows, booster)
    assert result.decision == "Accepted", result.message
    assert result.candidate == booster


def test_two_runs_on_the_same_rows_publish_the_same_model(tmp_path, rows, booster):
    one, other = (of_lateness(tmp_path / name, rows, booster) for name in ("a", "b"))
    assert one.challenger is not None
    assert other.challenger is not None
    models = [Path(r.challenger.uri, "model.onnx").read_bytes() for r in (one, other)]
    assert models[0] == models[1]
    assert one.challenger.digest == other.challenger.digest


def test_a_regressor_that_the_search_finds_is_published(tmp_path, rows, booster):
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


# --- what XGBoost's converter takes amiss ---

RANDOM = np.random.default_rng(0)
ROWS = pd.DataFrame(RANDOM.normal(size=(400, 3)), columns=["gap", "wind", "hour"]).astype("float32")
LATE = (ROWS["gap"] + ROWS["wind"] ** 2 > 1).to_numpy().astype(int)
OF_THREE = np.digitize(ROWS["gap"], [-0.5, 0.5])


def agreement(model) -> float | None:
    converted = scikit_learn.convert_model(model)
    return formats.check(converted, formats.draw(converted)).agreement


@pytest.mark.parametrize("labels", [LATE, OF_THREE], ids=["two", "three"])
def test_a_model_whose_training_was_continued_converts_with_all_its_trees(labels):
    xgboost = pytest.importorskip("xgboost")
    begun = xgboost.XGBClassifier(n_estimators=7).fit(ROWS, labels)
    more = xgboost.XGBClassifier(n_estimators=5).fit(ROWS, labels, xgb_model=begun)
    assert more.get_booster().num_boosted_rounds() == 12
    assert agreement(more) == 1.0
    assert more.n_estimators == 5


def test_a_model_that_was_stopped_early_converts_with_its_best_trees():
    xgboost = pytest.importorskip("xgboost")
    model = xgboost.XGBClassifier(n_estimators=200, learning_rate=0.8, early_stopping_rounds=3)
    model.fit(ROWS[:300], LATE[:300], eval_set=[(ROWS[300:], LATE[300:])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds() < 200
    assert agreement(model) == 1.0


def test_several_trees_a_round_convert():
    xgboost = pytest.importorskip("xgboost")
    model = xgboost.XGBClassifier(n_estimators=6, num_parallel_tree=3, subsample=0.5)
    assert agreement(model.fit(ROWS, LATE)) == 1.0


def test_a_model_of_a_data_frame_still_takes_data_frames_after_its_conversion():
    xgboost = pytest.importorskip("xgboost")
    frames = FunctionTransformer().set_output(transform="pandas")
    model = make_pipeline(frames, xgboost.XGBClassifier(n_estimators=5)).fit(ROWS, LATE)
    before = model.predict_proba(ROWS)
    scikit_learn.convert_model(model)
    assert np.array_equal(before, model.predict_proba(ROWS))


@pytest.mark.parametrize(
    "module", ["perennial_trainer.steps.assemble", "perennial_trainer.conversion.sklearn_to_onnx"]
)
def test_no_booster_is_imported_before_a_model_has_one(module):
    told = (
        f"import sys, {module}; print({{'xgboost', 'lightgbm', 'onnxmltools'}} & {{*sys.modules}})"
    )
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"

import numpy as np
import pytest

from perennial_trainer.conversion.sklearn_to_onnx import make_onnx
from perennial_trainer.data.features import clean, infer
from perennial_trainer.selection import pipelines
from perennial_trainer.selection.model_kinds import SETTINGS, SearchCandidate

TREES = ["DecisionTree", "ExtraTrees", "RandomForest", "HistGradientBoosting"]
WORLDS = ["gaps decide", "a column is always missing", "no gaps in training"]


def table_of(world, rows):
    table = rows(800, 5)
    gap = table["gap"].to_numpy(np.float32).copy()
    gap[np.random.default_rng(0).random(len(gap)) < 0.3] = np.nan
    if world == "gaps decide":
        return table.assign(gap=gap, late=np.isnan(gap).astype(int))
    if world == "a column is always missing":
        return table.assign(gap=np.float32(np.nan))
    return table.assign(gap=np.nan_to_num(gap))


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("task", ["Classification", "Regression"])
@pytest.mark.parametrize("kind", TREES)
def test_trees_and_onnx_agree_on_missing_values(kind, task, world, rows):
    table = table_of(world, rows)
    features = infer(table, "late")
    frame = clean(table, features, "rows")
    truth = table["late"].to_numpy(np.float64 if task == "Regression" else np.int64)
    proposal = SearchCandidate(kind, SETTINGS[kind][0])
    fitted = pipelines.fit(proposal, frame, truth, features, task, 0)
    make_onnx(fitted, features, frame)  # raises; compares on some gaps, and on gaps everywhere
    if world == "gaps decide":
        right = (np.round(fitted.predict(frame)) == truth).mean()
        assert right > 0.97

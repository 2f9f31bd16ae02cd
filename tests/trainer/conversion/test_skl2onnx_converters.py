"""Missing values: trees and forests learn which way they go, and say the same as ONNX."""

import numpy as np
import pytest

from perennial_trainer.conversion.artifact import make_onnx
from perennial_trainer.data.features import clean, infer
from perennial_trainer.selection import pipelines
from perennial_trainer.selection.model_kinds import SETTINGS, Proposal

TREES = ["DecisionTree", "ExtraTrees", "RandomForest", "HistGradientBoosting"]
WORLDS = ["gaps tell", "a column is missing throughout", "no gaps to learn from"]


def table_of(world, rows):
    table = rows(800, 5)
    gap = table["gap"].to_numpy(np.float32).copy()
    gap[np.random.default_rng(0).random(len(gap)) < 0.3] = np.nan
    if world == "gaps tell":
        return table.assign(gap=gap, late=np.isnan(gap).astype(int))
    if world == "a column is missing throughout":
        return table.assign(gap=np.float32(np.nan))
    return table.assign(gap=np.nan_to_num(gap))


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("task", ["Classification", "Regression"])
@pytest.mark.parametrize("kind", TREES)
def test_trees_say_as_onnx_what_they_say_of_missing_values(kind, task, world, rows):
    table = table_of(world, rows)
    features = infer(table, "late")
    frame = clean(table, features, "rows")
    truth = table["late"].to_numpy(np.float64 if task == "Regression" else np.int64)
    proposal = Proposal(kind, SETTINGS[kind][0])
    fitted = pipelines.fit(proposal, frame, truth, features, task, 0)
    make_onnx(fitted, features, frame)  # tries gaps here and there, and everywhere; raises
    if world == "gaps tell":
        right = (np.round(fitted.predict(frame)) == truth).mean()
        assert right > 0.97

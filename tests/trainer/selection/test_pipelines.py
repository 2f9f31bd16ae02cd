"""Pipelines of regressors: the same in ONNX, the same for the same rows."""

import numpy as np
import onnxruntime
import pytest
from sklearn import metrics

from perennial_trainer.conversion.sklearn_to_onnx import convert
from perennial_trainer.data.features import clean, infer, tensors
from perennial_trainer.selection import pipelines
from perennial_trainer.selection.model_kinds import (
    SETTINGS,
    SearchCandidate,
    is_installed,
    kinds_for,
)

REGRESSORS = [kind for kind in kinds_for("Regression") if is_installed(kind)]


@pytest.fixture(scope="module")
def numbers(rows):
    """Rows with gaps and texts, and a number of thousands to learn."""
    table = rows(600, 3)
    features = infer(table, "late")
    frame = clean(table, features, "rows")
    noise = np.random.default_rng(0).normal(size=600) * 50
    truth = 5000 + 800 * table["wind"] + 900 * (table["carrier"] == "AA") + noise
    return frame, truth.to_numpy(np.float64), features


@pytest.mark.parametrize("kind", REGRESSORS)
def test_each_regressor_predicts_the_same_in_onnx_with_gaps_and_unknown_texts(numbers, kind):
    frame, truth, features = numbers
    fitted = pipelines.fit(
        SearchCandidate(kind, SETTINGS[kind][0]), frame, truth, features, "Regression", 0
    )
    probe = frame.copy()
    probe.loc[::5, "carrier"] = "nobody's"
    probe.loc[::7, "wind"] = np.float32(np.nan)
    session = onnxruntime.InferenceSession(convert(fitted, features))
    (predicted,) = session.run(None, tensors(probe, features))
    assert predicted.shape == (600, 1)
    assert np.abs(predicted[:, 0] - fitted.predict(probe)).max() < 1e-5 * np.abs(truth).max()
    assert metrics.r2_score(truth, fitted.predict(frame)) > 0.8


def test_the_same_rows_give_the_same_regressor(numbers):
    frame, truth, features = numbers
    for kind in REGRESSORS:
        first, second = (
            convert(
                pipelines.fit(
                    SearchCandidate(kind, SETTINGS[kind][0]),
                    frame,
                    truth,
                    features,
                    "Regression",
                    4,
                ),
                features,
            )
            for _ in range(2)
        )
        assert first == second, kind

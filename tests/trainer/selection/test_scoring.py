"""Scores of scikit-learn models."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

from perennial_trainer.selection.scoring import check_task, score


@pytest.mark.parametrize("many", [2, 3])
def test_scores_match_scikit_learn(many):
    random = np.random.default_rng(many)
    frame = pd.DataFrame(random.normal(size=(300, 3)), columns=["a", "b", "c"])
    truth = np.digitize(frame["a"] + random.normal(size=300), [0, 1][: many - 1])
    model = LogisticRegression().fit(frame, truth)
    predicted, probabilities = model.predict(frame), model.predict_proba(frame)
    expected = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
        "f1": metrics.f1_score(truth, predicted, average="binary" if many == 2 else "macro"),
        "log_loss": metrics.log_loss(truth, probabilities),
    }
    if many == 2:
        expected["roc_auc"] = metrics.roc_auc_score(truth, probabilities[:, 1])
        expected["brier"] = metrics.brier_score_loss(truth, probabilities[:, 1])
        expected["average_precision"] = metrics.average_precision_score(truth, probabilities[:, 1])
    for metric, value in expected.items():
        task = check_task(truth, None, metric)
        assert score(model, frame, truth, task, metric) == pytest.approx(value), metric

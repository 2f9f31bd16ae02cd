"""Models of XGBoost that its converter needs help with."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from perennial_trainer import conversion as formats
from perennial_trainer.conversion import scikit_learn

RANDOM = np.random.default_rng(0)


ROWS = pd.DataFrame(RANDOM.normal(size=(400, 3)), columns=["gap", "wind", "hour"]).astype("float32")


LATE = (ROWS["gap"] + ROWS["wind"] ** 2 > 1).to_numpy().astype(int)


OF_THREE = np.digitize(ROWS["gap"], [-0.5, 0.5])


def agreement(model) -> float | None:
    converted = scikit_learn.convert_model(model)
    return formats.check(converted, formats.draw(converted)).agreement


@pytest.mark.parametrize("labels", [LATE, OF_THREE], ids=["two", "three"])
def test_a_model_with_continued_training_converts_with_all_trees(labels):
    xgboost = pytest.importorskip("xgboost")
    begun = xgboost.XGBClassifier(n_estimators=7).fit(ROWS, labels)
    more = xgboost.XGBClassifier(n_estimators=5).fit(ROWS, labels, xgb_model=begun)
    assert more.get_booster().num_boosted_rounds() == 12
    assert agreement(more) == 1.0
    assert more.n_estimators == 5


def test_a_model_that_stopped_early_converts_with_its_best_trees():
    xgboost = pytest.importorskip("xgboost")
    model = xgboost.XGBClassifier(n_estimators=200, learning_rate=0.8, early_stopping_rounds=3)
    model.fit(ROWS[:300], LATE[:300], eval_set=[(ROWS[300:], LATE[300:])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds() < 200
    assert agreement(model) == 1.0


def test_several_trees_per_round_convert():
    xgboost = pytest.importorskip("xgboost")
    model = xgboost.XGBClassifier(n_estimators=6, num_parallel_tree=3, subsample=0.5)
    assert agreement(model.fit(ROWS, LATE)) == 1.0


def test_a_converted_model_still_accepts_data_frames():
    xgboost = pytest.importorskip("xgboost")
    frames = FunctionTransformer().set_output(transform="pandas")
    model = make_pipeline(frames, xgboost.XGBClassifier(n_estimators=5)).fit(ROWS, LATE)
    before = model.predict_proba(ROWS)
    scikit_learn.convert_model(model)
    assert np.array_equal(before, model.predict_proba(ROWS))

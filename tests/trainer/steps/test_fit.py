"""A first model from a table: search, conversion, profile and bundle."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from perennial_contracts.api.search import Search
from perennial_contracts.wire.bundle import Bundle
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.profile import Profile
from perennial_contracts.wire.run_plan import TrainingFailure
from perennial_trainer.conversion import parity
from perennial_trainer.data.features import clean, infer
from perennial_trainer.errors import StepError
from perennial_trainer.evaluation.task import CLASSES
from perennial_trainer.model.onnx_model import OnnxModel
from perennial_trainer.selection.model_kinds import is_installed, kinds_for
from perennial_trainer.steps.fit import make_bundle

KINDS = [kind for kind in kinds_for("Classification") if is_installed(kind)]


QUICK = Search(candidates=["Logistic", "DecisionTree"], maxTrials=2, metric="roc_auc")


def make(table, **changes):
    settings = {"label": "late", "positive": None, "search": QUICK, "lineage": {"source": "test"}}
    return make_bundle(table, **{**settings, **changes})


@pytest.fixture(scope="module")
def table(rows) -> pd.DataFrame:
    return rows(1500)


@pytest.fixture(scope="module")
def made(table):
    return make(table)


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        *((kind, "two numbers") for kind in KINDS),
        # XGBoost accepts no classes but 0, 1, 2 and so on.
        *((kind, "texts") for kind in KINDS if kind != "XGBoost"),
    ],
)
def test_each_kind_predicts_the_same_in_onnx_with_gaps_and_unknown_texts(table, kind, labels):
    given = table
    if labels == "texts":
        given = table.assign(late=np.where(table["late"] == 1, "late", table["carrier"].str[0]))
        given["late"] = given["late"].replace({"r": "D"})
    made = make(given, search=Search(candidates=[kind], maxTrials=1, metric="f1"))
    features = infer(given, "late")
    frame = clean(made.held_out, features, "rows")
    found = parity.check(OnnxModel(made.files["model.onnx"]), made.pipeline, frame)
    assert found.rows == 4 * len(frame)
    assert found.largest_difference < 1e-5
    assert found.same_labels >= found.rows - 2
    assert made.candidate == kind


def test_the_bundle_has_the_signature_and_pins_every_file(made):
    manifest = Bundle.model_validate_json(made.files["bundle.json"])
    assert made.digest == digest_of(made.files["bundle.json"])
    assert {file.path: file.digest for file in manifest.files} == {
        path: digest_of(made.files[path]) for path in ("model.onnx", "profile.json")
    }
    assert [(t.name, t.datatype, t.shape) for t in manifest.inputs] == [
        ("gap", "FP32", [-1, 1]),
        ("wind", "FP32", [-1, 1]),
        ("carrier", "BYTES", [-1, 1]),
        ("hour", "FP32", [-1, 1]),
    ]
    assert [(t.name, t.datatype, t.shape) for t in manifest.outputs] == [
        ("label", "INT64", [-1]),
        ("probabilities", "FP32", [-1, 2]),
    ]
    assert (manifest.labels, manifest.positive) == (["0", "1"], "1")
    assert manifest.metrics == made.metrics
    assert manifest.lineage["source"] == "test"
    assert manifest.lineage["scikit-learn"]


def test_the_profile_counts_the_held_out_rows_and_has_deviations_of_scores(made):
    profile = Profile.model_validate_json(made.files["profile.json"])
    assert profile.rows == len(made.held_out) == 300
    assert [feature.name for feature in profile.features] == ["gap", "wind", "carrier", "hour"]
    gap = profile.features[0]
    assert gap.counts[-1] == made.held_out["gap"].isna().sum() > 0
    assert all(sum(feature.counts) == 300 for feature in profile.features)
    assert profile.label is not None
    assert profile.label.categories == ["0", "1"]
    assert profile.score is not None
    assert sum(profile.score.counts) == 300
    assert set(profile.quality) == set(CLASSES)
    assert profile.quality["accuracy"].value == made.metrics["accuracy"]
    # A share of 300 rows varies by about sqrt(p (1 - p) / 300).
    share = made.metrics["accuracy"]
    expected = np.sqrt(share * (1 - share) / 300)
    assert profile.quality["accuracy"].deviation == pytest.approx(expected, rel=0.4)


def test_the_scores_match_scikit_learn_on_the_held_out_rows(made):
    frame = clean(made.held_out, infer(made.held_out, "late"), "rows")
    truth, predicted = made.held_out["late"], made.pipeline.predict(frame)
    score = made.pipeline.predict_proba(frame)[:, 1]
    assert made.metrics["f1"] == pytest.approx(f1_score(truth, predicted), abs=1e-6)
    assert made.metrics["recall"] == pytest.approx(recall_score(truth, predicted), abs=1e-6)
    assert made.metrics["precision"] == pytest.approx(precision_score(truth, predicted), abs=1e-6)
    assert made.metrics["roc_auc"] == pytest.approx(roc_auc_score(truth, score), abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_rows_give_the_same_bytes(table, kind):
    search = Search(candidates=[kind], maxTrials=1, metric="roc_auc")
    assert make(table, search=search).files == make(table, search=search).files


def test_the_last_rows_are_held_out(table):
    spoilt = table.copy()
    spoilt.loc[1200:, "late"] = 1 - spoilt.loc[1200:, "late"]
    assert make(spoilt).files["model.onnx"] == make(table).files["model.onnx"]


@pytest.mark.parametrize(
    ("spoil", "reason", "message"),
    [
        (lambda t: t.drop(columns="late"), TrainingFailure.DATA_UNREADABLE, "a column late, got"),
        (lambda t: t[:10], TrainingFailure.TOO_FEW_ROWS, "at least 20 rows, got 10"),
        (lambda t: t.assign(late=1), TrainingFailure.ONE_CLASS, "are all 1"),
        (lambda t: t.assign(late=0.5), TrainingFailure.DATA_UNREADABLE, "whole numbers.*0.5"),
        (lambda t: t.assign(late=None), TrainingFailure.DATA_UNREADABLE, "none in 1500 of 1500"),
    ],
)
def test_a_table_without_usable_labels_is_rejected_with_the_problem(table, spoil, reason, message):
    with pytest.raises(StepError, match=message) as caught:
        make(spoil(table))
    assert caught.value.reason is reason


def test_an_unknown_positive_label_is_rejected_with_the_known_ones(table):
    with pytest.raises(StepError, match=r"data.positive: expected one of the labels 0, 1, got"):
        make(table, positive="yes")


def test_roc_auc_of_three_classes_is_rejected(table):
    given = table.assign(late=table["hour"] % 3)
    with pytest.raises(
        StepError, match="metric: expected one of accuracy, balanced_accuracy, f1"
    ) as caught:
        make(given)
    assert caught.value.reason is TrainingFailure.BAD_PLAN


def test_a_column_with_more_texts_than_the_encoder_holds_converts(rows):
    table = rows(1500).assign(tail=[f"N{i % 400}" for i in range(1500)])
    made = make(table)
    assert json.loads(made.files["bundle.json"])["inputs"][-1]["name"] == "tail"


def test_a_column_without_any_value_is_accepted(table):
    made = make(table.assign(nothing=np.nan))
    assert made.metrics["roc_auc"] > 0.8

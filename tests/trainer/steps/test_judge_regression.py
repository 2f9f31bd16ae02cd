"""A regressor, from a trainer's file to a bundle and against its champion."""

from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder
from support.capturing import make_plan, write_parquet

from perennial_contracts.api.compression import Compression
from perennial_contracts.api.retrainjob_status import DataSummary
from perennial_contracts.api.search import Search
from perennial_contracts.wire.bundle import Bundle
from perennial_contracts.wire.modelcard import ModelCard
from perennial_contracts.wire.profile import Profile
from perennial_contracts.wire.run_plan import Model, TrainingFailure, TrainingResult
from perennial_trainer.errors import StepError
from perennial_trainer.model.onnx_model import OnnxModel
from perennial_trainer.settings import StepSettings
from perennial_trainer.steps import judge, train
from perennial_trainer.steps.fit import make_bundle

COLUMNS = ["wind", "carrier", "hour"]


NUMBERS = {"task": "Regression", "metric": "rmse"}


def with_minutes(table, noise=1.0):
    """Return rows with a delay in minutes, which a linear model can predict."""
    random = np.random.default_rng(len(table))
    minutes = 3 * table["wind"] + table["hour"] / 2 + 4 * (table["carrier"] == "AA")
    return table[COLUMNS].assign(minutes=minutes + noise * random.normal(size=len(table)))


def fitted(table, columns=("wind", "hour")) -> bytes:
    """Return a regressor of some of the columns."""
    encoder = OneHotEncoder(handle_unknown="ignore")
    parts = ColumnTransformer(
        [("numbers", "passthrough", list(columns)), ("texts", encoder, ["carrier"])]
    )
    model = Pipeline([("columns", parts), ("model", LinearRegression())])
    return skops.io.dumps(model.fit(table[COLUMNS], table["minutes"]))


class Site:
    def __init__(self, root: Path, rows) -> None:
        self.root = root
        self.settings = StepSettings("judge", root / "in", root / "held", root / "left", None, 0)
        self.learnt = with_minutes(rows(1000, 1))
        self.recent = with_minutes(rows(600, 2))
        write_parquet(self.learnt, self.settings.input / "train.parquet")
        self.hold(self.recent)
        (root / "left").mkdir()

    def hold(self, recent) -> None:
        write_parquet(recent, self.settings.holdout / "recent.parquet")
        summary = DataSummary(digest="sha256:1", rows=1000, captured=len(recent))
        (self.settings.holdout / "data.json").write_text(summary.model_dump_json())

    def leave(self, content: bytes) -> None:
        (self.root / "left/model.skops").write_bytes(content)

    def judge(self, **changes) -> TrainingResult:
        search = {**NUMBERS, "candidates": None, **changes.pop("search", {})}
        gate = {"metric": "rmse", **changes.pop("gate", {})}
        plan = make_plan(
            self.root / "out",
            data={"label": "minutes"},
            search=search,
            **{"gate": gate, "champion": None, **changes},
        )
        return judge.run(plan, self.settings)

    def failure(self, **changes) -> StepError:
        with pytest.raises(StepError) as caught:
            self.judge(**changes)
        return caught.value


@pytest.fixture
def site(tmp_path, rows) -> Site:
    site = Site(tmp_path, rows)
    site.leave(fitted(site.learnt))
    return site


def test_a_first_regressor_is_published_with_one_output(site):
    result = site.judge()
    assert result.message.startswith("Accepted: a first model, on 600 rows RMSE ")
    folder = Path(result.challenger.uri)
    manifest = Bundle.model_validate_json((folder / "bundle.json").read_bytes())
    assert manifest.task == "Regression"
    assert manifest.labels is None
    assert manifest.positive is None
    (output,) = manifest.outputs
    assert (output.name, output.datatype, output.shape) == ("prediction", "FP32", [-1, 1])
    predictions = OnnxModel((folder / "model.onnx").read_bytes()).predict(site.recent[COLUMNS], [])
    error = np.sqrt(np.mean((predictions.values - site.recent["minutes"]) ** 2))
    assert manifest.metrics["rmse"] == pytest.approx(error, rel=1e-4)
    metrics = {metric.name: metric.value for metric in result.metrics}
    assert set(metrics) == {"rmse", "mae", "r2", "pinball_10", "pinball_90"}
    assert float(metrics["rmse"]) == pytest.approx(error, rel=1e-4)
    assert result.sizeBytes == (folder / "model.onnx").stat().st_size


def test_the_default_metric_of_a_compressed_regressor_is_rmse(site):
    wanted = Compression(methods=[{"type": "Distill"}])
    folder = Path(site.judge(compression=wanted).challenger.uri)
    card = ModelCard.model_validate_json((folder / "modelcard.json").read_bytes())
    assert card.compression[0].metric == "rmse"


def test_the_profile_of_a_regressor_has_its_predicted_numbers(site):
    folder = Path(site.judge().challenger.uri)
    profile = Profile.model_validate_json((folder / "profile.json").read_bytes())
    assert profile.label is None
    assert profile.score is not None
    assert max(profile.score.edges) > 5
    assert profile.quality["mae"].value == pytest.approx(0.8, abs=0.1)


def test_the_model_card_of_a_regressor_has_residuals_slices_and_a_dummy(site):
    result = site.judge()
    folder = Path(result.challenger.uri)
    card = ModelCard.model_validate_json((folder / "modelcard.json").read_bytes())
    found = card.evaluation
    assert found is not None
    assert (found.task, found.rows, found.matrix) == ("Regression", 600, [])
    scores, dummy = ({s.metric: s for s in part} for part in (found.scores, found.dummy))
    assert scores["rmse"].low < scores["rmse"].value < scores["rmse"].high
    assert scores["rmse"].value < dummy["rmse"].value / 3
    assert found.residuals is not None
    assert len(found.residuals.x) == 300
    assert {part.feature for part in found.slices} == set(COLUMNS)
    assert card.data.labels == {}
    assert card.lineage["bundle"] == result.challenger.digest


def test_a_better_regressor_is_accepted_and_its_gain_is_a_share(site):
    blind = site.learnt.assign(wind=0.0)
    site.leave(fitted(blind, ["hour"]))
    first = site.judge()
    site.leave(fitted(site.learnt))
    second = site.judge(champion=first.challenger, job="delays-2")
    assert second.decision == "Accepted"
    assert "on 600 captured rows RMSE " in second.message
    assert " %" in second.message
    gain = second.comparisons[0]
    assert gain.metric == "rmse"
    assert 600 < gain.lowPermille < gain.highPermille < 750  # the error shrinks to about 1 of 3.2

    # The reverse is rejected.
    site.leave(fitted(blind, ["hour"]))
    third = site.judge(champion=second.challenger, job="delays-3")
    assert third.decision == "Rejected"
    assert third.comparisons[0].highPermille < 0


def test_an_error_above_the_limit_is_rejected(site):
    result = site.judge(gate={"minValuePermille": 500})
    assert result.decision == "Rejected"
    assert "required: at most 0.5" in result.message


def test_a_regressor_judged_twice_has_the_same_digest(site):
    first, second = site.judge(), site.judge()
    assert first.challenger == second.challenger
    assert first.metrics == second.metrics


def test_r2_of_equal_numbers_is_rejected(site):
    site.hold(site.recent.assign(minutes=5.0))
    error = site.failure(gate={"metric": "r2"})
    assert error.reason is TrainingFailure.ONE_CLASS
    assert "gate.metric: r2 is not defined on the 600 rows of Recent" in error.message


def test_a_classifier_is_no_champion_for_a_regression(site, tmp_path, rows):
    search = Search(candidates=["Logistic"], maxTrials=1)
    table = rows(600, 3)[[*COLUMNS, "late"]]
    made = make_bundle(table, label="late", positive=None, search=search, lineage={})
    folder = tmp_path / "champion"
    folder.mkdir()
    for name, data in made.files.items():
        (folder / name).write_bytes(data)
    error = site.failure(champion=Model(uri=f"{folder}/", digest=made.digest))
    assert error.reason is TrainingFailure.BAD_PLAN
    assert error.message.startswith(
        "search.task: expected Classification, the task of the served model"
    )


def test_a_metric_of_classes_is_rejected_for_a_regression(site):
    error = site.failure(gate={"metric": "accuracy"})
    assert error.reason is TrainingFailure.BAD_PLAN
    assert (
        "gate.metric: expected one of rmse, mae, r2, pinball_10, pinball_90 for numbers"
        in error.message
    )


def test_a_label_that_is_no_number_is_named(site):
    site.hold(site.recent.assign(minutes=site.recent["minutes"].astype(str) + " min"))
    error = site.failure()
    assert error.reason is TrainingFailure.DATA_UNREADABLE
    assert "minutes" in error.message
    assert " min" in error.message


def test_a_classifier_is_rejected_for_a_regression(site):
    model = Pipeline(
        [("c", ColumnTransformer([("n", "passthrough", ["wind"])])), ("m", LogisticRegression())]
    )
    site.leave(skops.io.dumps(model.fit(site.learnt[COLUMNS], site.learnt["minutes"] > 5)))
    error = site.failure()
    assert error.reason is TrainingFailure.WRONG_SIGNATURE
    assert "expected a fitted regressor (search.task)" in error.message


def test_a_regressor_of_the_search_is_judged_and_its_trials_are_reported(site):
    plan = make_plan(
        site.root / "out",
        data={"label": "minutes"},
        search={**NUMBERS, "candidates": ["Linear", "DecisionTree"], "maxTrials": 2},
        gate={"metric": "rmse"},
        champion=None,
    )
    (site.root / "left/model.skops").unlink()
    train.run(plan, site.settings)
    result = judge.run(plan, site.settings)
    assert result.candidate == "Linear"
    assert result.p95Microseconds
    folder = Path(result.challenger.uri)
    card = ModelCard.model_validate_json((folder / "modelcard.json").read_bytes())
    assert {trial.kind for trial in card.trials} == {"Dummy", "Linear", "DecisionTree"}
    assert [trial.kind for trial in card.trials if trial.chosen] == ["Linear"]
    assert "RMSE" in (folder / "report.html").read_text()

"""Champion and challenger on real models: decisions, bundles and reports."""

from pathlib import Path

import numpy as np
import pytest
from support.capturing import put_bundle
from support.judging import RunFolders, published

from perennial_contracts.api.retrainjob_status import Comparison, DataSummary
from perennial_contracts.api.search import Search
from perennial_contracts.wire.bundle import Bundle
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.profile import Profile
from perennial_contracts.wire.run_plan import Model, TrainingFailure, TrainingResult
from perennial_trainer.conversion.sklearn_to_onnx import convert
from perennial_trainer.data.features import Feature
from perennial_trainer.model.onnx_model import OnnxModel
from perennial_trainer.selection.model_kinds import is_installed, kinds_for
from perennial_trainer.steps import train
from perennial_trainer.steps.fit import make_bundle
from perennial_trainer.steps.judge import MOST_BYTES, fit_message

TIMED = {"p95Microseconds": None}


LOGISTIC = Search(candidates=["Logistic"], maxTrials=1, metric="roc_auc")


@pytest.fixture(scope="module")
def champion(rows):
    return make_bundle(rows(1500, 9), label="late", positive=None, search=LOGISTIC, lineage={})


@pytest.fixture
def site(tmp_path, champion) -> RunFolders:
    return RunFolders(tmp_path, champion)


@pytest.mark.parametrize("kind", [k for k in kinds_for("Classification") if is_installed(k)])
def test_a_better_challenger_of_any_kind_is_published(site, rows, kind):
    moved = rows(2500, 1, drift=0.8)
    site.fill(moved[:2000], moved[2000:], rows(300, 2))
    result = site.run(search={"candidates": [kind]}, gate={"maxRegressionPermille": 900})
    assert result.decision == "Accepted"
    assert result.candidate == kind
    files = published(result)
    assert digest_of(files["bundle.json"]) == result.challenger.digest
    assert result.challenger.uri.endswith(f"/{result.challenger.digest[7:19]}/")
    manifest = Bundle.model_validate_json(files["bundle.json"])
    assert all(digest_of(files[file.path]) == file.digest for file in manifest.files)
    assert manifest.lineage["champion"] == site.champion.digest
    assert manifest.lineage["retrainJob"] == "delays-1"
    profile = Profile.model_validate_json(files["profile.json"])
    assert profile.rows == 500
    assert profile.quality["roc_auc"].value == pytest.approx(
        result.comparisons[0].challengerPermille / 1000, abs=0.0006
    )
    model = OnnxModel(files["model.onnx"], manifest.labels)
    assert [feature.name for feature in model.features] == ["gap", "wind", "carrier", "hour"]
    assert [(c.metric, c.on) for c in result.comparisons[:2]] == [
        ("roc_auc", "Recent"),
        ("roc_auc", "Reference"),
    ]


def test_a_second_attempt_publishes_the_same_bytes(site, rows):
    moved = rows(1500, 1, drift=0.8)
    site.fill(moved[:1200], moved[1200:])
    first = site.run()
    before = published(first)
    assert site.run().model_copy(update=TIMED) == first.model_copy(update=TIMED)
    after = published(first)
    timed = {"report.html", "modelcard.json"}  # contain the durations of trials
    assert {n: d for n, d in after.items() if n not in timed} == {
        n: d for n, d in before.items() if n not in timed
    }


def test_a_worse_challenger_is_rejected_and_only_its_report_is_published(site, rows):
    wrong = rows(1000, 1).assign(late=lambda t: (t["hour"] % 2).astype(int))
    site.fill(wrong, rows(600, 2), rows(300, 3))
    result = site.run()
    assert result.decision == "Rejected"
    assert result.message.startswith("Rejected: on 600 captured rows ROC AUC .9")
    assert result.comparisons[0].highPermille < 0
    left = [str(path.relative_to(site.root / "out")) for path in (site.root / "out").rglob("*.*")]
    assert sorted(left) == [
        "rejected/delays-1/modelcard.json",
        "rejected/delays-1/report.html",
    ]
    assert result.report == f"{site.root}/out/rejected/delays-1/report.html"


def test_a_gain_on_captured_rows_does_not_offset_a_loss_on_the_baseline(site, rows):
    moved = rows(1500, 1, drift=0.9)
    site.fill(moved[:1200], moved[1200:], rows(300, 2))
    result = site.run(gate={"maxRegressionPermille": 5})
    assert result.decision == "Rejected"
    assert "required on the baseline: a loss of less than .005" in result.message


def test_of_twenty_equally_good_challengers_at_most_one_is_accepted(tmp_path, champion, rows):
    # Each learns from another sample of the distribution that the champion learned from.
    promoted = 0
    for seed in range(20):
        root = tmp_path / str(seed)
        root.mkdir()
        site = RunFolders(root, champion)
        site.fill(rows(1200, 100 + seed), rows(600, 200 + seed), rows(300, 300 + seed))
        promoted += site.run(gate={"maxRegressionPermille": 20}).decision == "Accepted"
    assert promoted <= 1


def test_a_first_model_is_accepted_if_it_is_good_enough(site, rows):
    site.fill(rows(800, 1), rows(200, 2))
    assert site.run(champion=None, gate={"minValuePermille": 999}).decision == "Rejected"
    result = site.run(champion=None, gate={"minValuePermille": 700})
    assert result.decision == "Accepted"
    assert result.comparisons == []
    assert "a first model, on 200 rows ROC AUC .9" in result.message


def test_the_challenger_has_the_champions_inputs(site, rows, champion):
    # Clients must not notice that the model has changed.
    features = [
        Feature("gap"),
        Feature("wind", "FP64", is_column=False),
        Feature("carrier", "BYTES", is_column=False),
        Feature("hour", "INT64"),
    ]
    files = {"model.onnx": convert(champion.pipeline, features)}
    model = Model(
        uri=put_bundle(site.root / "typed", files, "").uri, digest=digest_of(files["model.onnx"])
    )
    moved = rows(1500, 1, drift=0.8)
    site.fill(moved[:1200], moved[1200:])
    result = site.run(champion=model)
    assert result.decision == "Accepted"
    inputs = Bundle.model_validate_json(published(result)["bundle.json"]).inputs
    assert [(t.name, t.datatype, t.shape) for t in inputs] == [
        ("gap", "FP32", [-1, 1]),
        ("wind", "FP64", [-1]),
        ("carrier", "BYTES", [-1]),
        ("hour", "INT64", [-1, 1]),
    ]


def test_more_than_two_labels_are_compared_by_macro_scores(tmp_path, rows):
    def three(table):
        parts = np.where(table["late"] == 1, "late", np.where(table["hour"] > 12, "pm", "am"))
        return table.assign(late=parts)

    search = Search(candidates=["Logistic"], maxTrials=1)
    made = make_bundle(three(rows(900, 9)), label="late", positive=None, search=search, lineage={})
    site = RunFolders(tmp_path, made)
    moved = three(rows(1500, 1, drift=0.9))
    site.fill(moved[:1200], moved[1200:])
    result = site.run(search={"metric": "f1"}, gate={"metric": "f1"})
    assert result.decision == "Accepted"
    assert {c.metric for c in result.comparisons} == {
        "accuracy", "balanced_accuracy", "f1", "recall", "precision", "log_loss",
    }  # fmt: skip
    assert Bundle.model_validate_json(published(result)["bundle.json"]).positive is None


def test_a_column_without_any_value_can_be_judged(site, rows):
    bare = {"gap": np.float32(np.nan), "carrier": ""}
    site.fill(rows(700, 1).assign(**bare), rows(300, 2).assign(**bare))
    for kind in ("Logistic", "RandomForest"):
        result = site.run(search={"candidates": [kind]}, gate={"maxRegressionPermille": 900})
        assert result.candidate == kind
        assert result.decision in ("Accepted", "Rejected")


def test_held_out_rows_of_one_label_fail_a_gate_on_roc_auc(site, rows):
    site.fill(rows(700, 1), rows(600, 2).query("late == 0"))
    train.run(site.plan(), site.settings)
    error = site.failure()
    assert error.reason is TrainingFailure.ONE_CLASS
    assert "roc_auc is not defined on the" in error.message
    assert "whose labels are all 0" in error.message


def test_a_first_model_is_not_judged_on_rows_of_one_label(site, rows):
    site.fill(rows(700, 1), rows(600, 2).query("late == 1"))
    train.run(site.plan(champion=None), site.settings)
    error = site.failure(champion=None)
    assert error.reason is TrainingFailure.ONE_CLASS
    assert error.message.endswith("of Recent, whose labels are all 1")


def test_held_out_rows_without_the_label_are_unreadable(site, rows):
    site.fill(rows(700, 1), rows(300, 2).drop(columns="late"))
    train.run(site.plan(), site.settings)
    error = site.failure()
    assert error.reason is TrainingFailure.DATA_UNREADABLE
    assert error.message == "the rows of Recent: expected rows with a column late"


def test_the_report_is_one_file_with_all_facts_and_escapes_foreign_text(site, rows):
    moved = rows(1500, 1, drift=0.8).assign(late=lambda t: t["late"])
    site.fill(moved[:1200], moved[1200:], rows(300, 2))
    trigger = {"type": "Drift", "message": "<script>alert(1)</script>"}
    result = site.run(trigger=trigger, gate={"maxRegressionPermille": 900})
    page = Path(result.report or "").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "src=" not in page
    for text in (
        "Accepted",
        "Champion",
        "Challenger",
        "ROC AUC",
        "Logistic",
        "Dummy",
        result.challenger.digest,
        site.champion.digest,
        "captured rows",
    ):
        assert text in page
    assert page.count("gain between") >= len(result.comparisons)


def test_a_result_fits_into_the_termination_message_and_keeps_the_gates_metric():
    one = {
        "rows": 10**6,
        "championPermille": 888,
        "challengerPermille": 999,
        "lowPermille": -100,
        "highPermille": 100,
    }
    comparisons = [
        Comparison(metric=metric, on=on, **one)
        for metric in ("precision", "accuracy", "f1", "recall", "roc_auc")
        for on in ("Recent", "Reference")
    ]
    result = TrainingResult(
        decision="Accepted",
        message="→" * 3000,
        challenger=Model(uri=f"s3://{'b' * 700}/", digest=f"sha256:{'0' * 64}"),
        data=DataSummary(digest=f"sha256:{'0' * 64}", rows=1),
        comparisons=comparisons,
        report=f"s3://{'b' * 700}/report.html",
    )
    text = fit_message(result).to_text()
    assert len(text.encode()) <= MOST_BYTES
    read = TrainingResult.from_text(text)
    assert read is not None
    assert read.comparisons[:2] == comparisons[:2]
    assert read.message.startswith("→→")

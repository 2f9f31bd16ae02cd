"""Champion against challenger, on real models: what is promoted, what is not, what is left."""

import json
from pathlib import Path

import numpy as np
import pytest
import skops.io
from onnx import TensorProto, helper
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.semi_supervised import LabelPropagation
from support.capturing import make_plan, put_bundle, write_parquet

from perennial_contracts.api.retrainjob_status import Comparison, DataSummary
from perennial_contracts.api.search import Search
from perennial_contracts.wire.bundle import Bundle
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.profile import Profile
from perennial_contracts.wire.run_plan import Model, TrainingFailure, TrainingResult
from perennial_trainer.conversion import sklearn_to_onnx
from perennial_trainer.conversion.sklearn_to_onnx import convert
from perennial_trainer.data.features import Feature
from perennial_trainer.errors import StepError
from perennial_trainer.model.onnx_model import OnnxModel
from perennial_trainer.selection.model_kinds import is_installed, kinds_for
from perennial_trainer.settings import StepSettings
from perennial_trainer.steps import judge, train
from perennial_trainer.steps.fit import make_bundle
from perennial_trainer.steps.judge import MOST_BYTES, fit_message

TIMED = {"p95Microseconds": None}
LOGISTIC = Search(candidates=["Logistic"], maxTrials=1, metric="roc_auc")


@pytest.fixture(scope="module")
def champion(rows):
    return make_bundle(rows(1500, 9), label="late", positive=None, search=LOGISTIC, lineage={})


class Site:
    """The folders of a run, as assemble leaves them."""

    def __init__(self, root: Path, champion) -> None:
        self.root = root
        self.settings = StepSettings("judge", root / "in", root / "held", root / "left", None, 0)
        self.champion = put_bundle(root / "champion", champion.files, champion.digest)

    def fill(self, learnt, recent, reference=None) -> None:
        write_parquet(learnt, self.settings.input / "train.parquet")
        write_parquet(recent, self.settings.holdout / "recent.parquet")
        if reference is not None:
            write_parquet(reference, self.settings.holdout / "reference.parquet")
        summary = DataSummary(digest="sha256:1", rows=len(learnt), captured=len(recent))
        (self.settings.holdout / "data.json").write_text(summary.model_dump_json())

    def plan(self, **changes):
        return make_plan(self.root / "out", **{"champion": self.champion, **changes})

    def judge(self, **changes) -> TrainingResult:
        return judge.run(self.plan(**changes), self.settings)

    def run(self, **changes) -> TrainingResult:
        train.run(self.plan(**changes), self.settings)
        return self.judge(**changes)

    def failure(self, **changes) -> StepError:
        with pytest.raises(StepError) as caught:
            self.judge(**changes)
        return caught.value

    def leave(self, name: str, content: bytes) -> None:
        self.settings.output.mkdir(exist_ok=True)
        (self.settings.output / name).write_bytes(content)


@pytest.fixture
def site(tmp_path, champion) -> Site:
    return Site(tmp_path, champion)


def published(result: TrainingResult) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(result.challenger.uri).iterdir()}


@pytest.mark.parametrize("kind", [k for k in kinds_for("Classification") if is_installed(k)])
def test_a_better_challenger_of_any_kind_is_published_whole(site, rows, kind):
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


def test_judging_a_second_time_publishes_the_same_bytes(site, rows):
    moved = rows(1500, 1, drift=0.8)
    site.fill(moved[:1200], moved[1200:])
    first = site.run()
    before = published(first)
    assert site.run().model_copy(update=TIMED) == first.model_copy(update=TIMED)
    after = published(first)
    told = {"report.html", "modelcard.json"}  # of how long the trials took
    assert {n: d for n, d in after.items() if n not in told} == {
        n: d for n, d in before.items() if n not in told
    }


def test_a_worse_challenger_is_rejected_and_only_its_report_is_left(site, rows):
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


def test_a_gain_on_captured_rows_does_not_make_up_for_a_loss_on_the_baseline(site, rows):
    moved = rows(1500, 1, drift=0.9)
    site.fill(moved[:1200], moved[1200:], rows(300, 2))
    result = site.run(gate={"maxRegressionPermille": 5})
    assert result.decision == "Rejected"
    assert "required on the baseline: a loss of less than .005" in result.message


def test_of_twenty_challengers_that_are_as_good_at_most_one_is_promoted(tmp_path, champion, rows):
    """Each learns from another sample of what the champion has learnt from."""
    promoted = 0
    for seed in range(20):
        root = tmp_path / str(seed)
        root.mkdir()
        site = Site(root, champion)
        site.fill(rows(1200, 100 + seed), rows(600, 200 + seed), rows(300, 300 + seed))
        promoted += site.run(gate={"maxRegressionPermille": 20}).decision == "Accepted"
    assert promoted <= 1


def test_a_first_model_is_accepted_when_it_is_good_enough(site, rows):
    site.fill(rows(800, 1), rows(200, 2))
    assert site.run(champion=None, gate={"minValuePermille": 999}).decision == "Rejected"
    result = site.run(champion=None, gate={"minValuePermille": 700})
    assert result.decision == "Accepted"
    assert result.comparisons == []
    assert "a first model, on 200 rows ROC AUC .9" in result.message


def test_the_challenger_takes_tensors_of_the_champions_form(site, rows, champion):
    """Who calls the model must not notice that it was changed."""
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
    site = Site(tmp_path, made)
    moved = three(rows(1500, 1, drift=0.9))
    site.fill(moved[:1200], moved[1200:])
    result = site.run(search={"metric": "f1"}, gate={"metric": "f1"})
    assert result.decision == "Accepted"
    assert {c.metric for c in result.comparisons} == {
        "accuracy", "balanced_accuracy", "f1", "recall", "precision", "log_loss",
    }  # fmt: skip
    assert Bundle.model_validate_json(published(result)["bundle.json"]).positive is None


# --- what a trainer of one's own may leave ---


@pytest.fixture
def filled(site, rows):
    moved = rows(900, 1, drift=0.8)
    site.fill(moved[:600], moved[600:])
    return site


def onnx_of(inputs, outputs, nodes) -> bytes:
    kinds = {"text": TensorProto.STRING, "float": TensorProto.FLOAT, "int": TensorProto.INT64}
    graph = helper.make_graph(
        nodes,
        "own",
        [helper.make_tensor_value_info(n, kinds[k], ["n", *s]) for n, k, s in inputs],
        [helper.make_tensor_value_info(n, kinds[k], ["n", *s]) for n, k, s in outputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return bytes(model.SerializeToString())


INPUTS = [
    ("gap", "float", [1]),
    ("wind", "float", [1]),
    ("carrier", "text", [1]),
    ("hour", "float", [1]),
]
OUTPUTS = [("label", "int", []), ("probabilities", "float", [2])]
NODES = [
    helper.make_node("Sigmoid", ["wind"], ["yes"]),
    helper.make_node("Neg", ["wind"], ["minus"]),
    helper.make_node("Sigmoid", ["minus"], ["no"]),
    helper.make_node("Concat", ["no", "yes"], ["probabilities"], axis=1),
    helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
]


def test_an_onnx_model_of_ones_own_is_judged_as_it_is(filled):
    data = onnx_of(INPUTS, OUTPUTS, NODES)
    filled.leave("model.onnx", data)
    result = filled.judge(gate={"minImprovementPermille": 0, "minValuePermille": 0})
    assert result.candidate == ""
    assert result.comparisons[0].rows == 300
    result = filled.judge(champion=None)
    assert published(result)["model.onnx"] == data


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        (INPUTS[:-1], OUTPUTS, "input hour: expected one for each feature .*got no such input"),
        ([*INPUTS, ("more", "float", [1])], OUTPUTS, "input more: .*an input that is no feature"),
        ([*INPUTS[:2], ("carrier", "float", [1]), INPUTS[3]], OUTPUTS, "carrier: expected texts"),
        ([*INPUTS[:3], ("hour", "float", [4])], OUTPUTS, r"input hour: .*\[-1, 1\] or \[-1\], got"),
        (
            INPUTS,
            OUTPUTS[:1],
            "expected outputs label and probabilities, or prediction, got label INT64",
        ),
    ],
)
def test_an_onnx_model_that_takes_or_gives_something_else_is_refused_by_the_tensor(
    filled, inputs, outputs, message
):
    filled.leave("model.onnx", onnx_of(inputs, outputs, NODES))
    with pytest.raises(StepError, match=message) as caught:
        filled.judge()
    assert caught.value.reason is TrainingFailure.WRONG_SIGNATURE


def test_probabilities_in_another_order_of_the_labels_are_refused(filled):
    swapped = [
        *NODES[:3],
        helper.make_node("Concat", ["yes", "no"], ["probabilities"], axis=1),
        helper.make_node("ArgMin", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    filled.leave("model.onnx", onnx_of(INPUTS, OUTPUTS, swapped))
    error = filled.failure()
    assert error.reason is TrainingFailure.WRONG_SIGNATURE
    assert "a probability for each of 0, 1, in this order" in error.message


def test_bytes_that_are_no_onnx_are_refused(filled):
    filled.leave("model.onnx", b"no model")
    assert filled.failure().reason is TrainingFailure.WRONG_SIGNATURE


def test_a_trainer_that_leaves_nothing_is_told_what_was_expected(filled):
    filled.leave("notes.txt", b"")
    error = filled.failure()
    assert error.reason is TrainingFailure.NO_MODEL
    assert "expected model.onnx or model.skops of the trainer, got notes.txt" in error.message


class Harmful(LogisticRegression):
    """A type that a skops file names and that is not scikit-learn's."""


def test_a_skops_file_with_a_type_of_its_own_is_refused_by_name(filled, champion):
    steps = champion.pipeline.steps
    own = Pipeline([steps[0], ("model", Harmful())])
    filled.leave("model.skops", skops.io.dumps(own))
    error = filled.failure()
    assert error.reason is TrainingFailure.CONVERSION_FAILED
    assert "Harmful" in error.message


@pytest.mark.parametrize("content", [b"no skops", b""])
def test_a_skops_file_that_is_none_is_refused(filled, content):
    filled.leave("model.skops", content)
    error = filled.failure()
    assert error.reason is TrainingFailure.CONVERSION_FAILED
    assert "model.skops: cannot be read" in error.message


def test_a_skops_model_of_arrays_is_refused_with_the_columns(filled):
    fitted = LogisticRegression().fit(np.array([[0.0], [1.0]]), [0, 1])
    filled.leave("model.skops", skops.io.dumps(fitted))
    error = filled.failure()
    assert error.reason is TrainingFailure.WRONG_SIGNATURE
    assert "with the columns gap, wind, carrier, hour, got an array" in error.message


def test_a_model_that_has_no_converter_is_told(filled, rows):
    table = rows(300, 5)[["gap", "wind", "carrier", "hour"]].fillna(0)
    columns = ColumnTransformer([("numbers", "passthrough", ["wind"])])
    fitted = Pipeline([("c", columns), ("m", LabelPropagation())])
    fitted.fit(table, np.arange(300) % 2)
    filled.leave("model.skops", skops.io.dumps(fitted))
    error = filled.failure()
    assert error.reason is TrainingFailure.CONVERSION_FAILED
    assert "LabelPropagation" in error.message


def forest(table) -> Pipeline:
    """A forest that met missing numbers as it was fitted."""
    numbers = ["gap", "wind", "hour"]
    holes = np.random.default_rng(0).random((len(table), 3)) < 0.2
    frame = table[numbers].astype(np.float32).mask(holes).assign(carrier=table["carrier"])
    columns = ColumnTransformer([("n", "passthrough", numbers)])
    steps = [("c", columns), ("m", RandomForestClassifier(20, random_state=0))]
    return Pipeline(steps).fit(frame[["gap", "wind", "carrier", "hour"]], table["late"])


def test_a_forest_that_met_missing_values_says_the_same_as_onnx(filled, rows):
    filled.leave("model.skops", skops.io.dumps(forest(rows(1500, 5))))
    assert filled.judge(champion=None).decision == "Accepted"


def test_a_conversion_that_says_something_else_is_refused_with_numbers(filled, rows, monkeypatch):
    filled.leave("model.skops", skops.io.dumps(forest(rows(1500, 5))))
    other = forest(rows(1500, 6, drift=0.9))
    monkeypatch.setattr(
        sklearn_to_onnx, "convert", lambda model, features: convert(other, features)
    )
    error = filled.failure()
    assert error.reason is TrainingFailure.PARITY_FAILED
    assert "labels agree, probabilities differ by up to" in error.message


def test_a_search_file_of_another_kind_does_no_harm(filled):
    filled.leave("model.onnx", onnx_of(INPUTS, OUTPUTS, NODES))
    filled.leave("search.json", json.dumps({"my": "own"}).encode())
    assert filled.judge(champion=None).candidate == ""


def test_a_column_of_nothing_but_missing_values_hinders_nobody(site, rows):
    bare = {"gap": np.float32(np.nan), "carrier": ""}
    site.fill(rows(700, 1).assign(**bare), rows(300, 2).assign(**bare))
    for kind in ("Logistic", "RandomForest"):
        result = site.run(search={"candidates": [kind]}, gate={"maxRegressionPermille": 900})
        assert result.candidate == kind
        assert result.decision in ("Accepted", "Rejected")


def test_held_out_rows_of_one_label_decide_nothing_on_roc_auc(site, rows):
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


# --- the report and the result ---


def test_the_report_is_one_file_that_tells_all_and_escapes_what_comes_from_outside(site, rows):
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
    for told in (
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
        assert told in page
    assert page.count("gain between") >= len(result.comparisons)


def test_a_result_fits_into_the_termination_message_with_the_gates_metric_kept():
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

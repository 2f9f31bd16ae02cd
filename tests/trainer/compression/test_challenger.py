import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from support.capturing import make_plan, write_parquet

from perennial_contracts.api.compression import Compression
from perennial_contracts.api.retrainjob_status import DataSummary
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.modelcard import CompressionTrial, ModelCard
from perennial_contracts.wire.run_plan import TrainingFailure
from perennial_trainer.compression.compress import MetricError
from perennial_trainer.errors import StepError
from perennial_trainer.evaluation.held_out import HeldOutRows, set_aside
from perennial_trainer.settings import StepSettings
from perennial_trainer.steps import judge, train

TRIALS = [
    CompressionTrial(method="Original", status="Original", size_bytes=900),
    CompressionTrial(method="Float16", status="Kept", size_bytes=500, why="half as large"),
]


@dataclass
class Compressed:
    model: bytes
    trials: list[CompressionTrial]
    method: str | None


class Fake:
    """A compression that stores its arguments and returns the model with a mark."""

    def __init__(self) -> None:
        self.samples: Any = None
        self.keeps = True
        self.variants: Any = None
        self.error: MetricError | None = None

    def compress(self, model, wanted, samples, *, seed, log):
        self.samples = samples
        if self.variants is not None:
            best = max(
                self.variants(model), key=lambda made: samples.score(outputs_of(made, samples))
            )
            return Compressed(best, TRIALS, "Float16")
        if self.error:
            raise self.error
        if not self.keeps:
            return Compressed(model, TRIALS[:1], None)
        changed = onnx.load_from_string(model)
        changed.doc_string = "compressed"
        return Compressed(changed.SerializeToString(deterministic=True), TRIALS, "Float16")


def outputs_of(model: bytes, samples: Any) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, samples.held_out), strict=True))


@pytest.fixture
def fake(monkeypatch) -> Fake:
    fake, module = Fake(), ModuleType("perennial_trainer.compression.compress")
    module.MetricError, module.compress = MetricError, fake.compress
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return fake


@pytest.fixture
def run(tmp_path, rows):
    settings = StepSettings("judge", tmp_path / "in", tmp_path / "held", tmp_path / "out", None, 0)

    def judged(metric="roc_auc", made=rows, held_out=300):
        write_parquet(made(700, 1), settings.input / "train.parquet")
        write_parquet(made(held_out, 2), settings.holdout / "recent.parquet")
        summary = DataSummary(digest="sha256:1", rows=700, captured=held_out)
        (settings.holdout / "data.json").write_text(summary.model_dump_json())
        wanted = Compression(methods=[{"type": "Float16"}], gate={"metric": metric})
        plan = make_plan(tmp_path / "made", champion=None, compression=wanted)
        train.run(plan, settings)
        result = judge.run(plan, settings)
        folder = Path(result.challenger.uri)
        card = ModelCard.model_validate_json((folder / "modelcard.json").read_bytes())
        return result, (folder / "model.onnx").read_bytes(), card

    return judged


def test_the_compressed_model_is_the_one_that_is_judged_and_published(fake, run):
    result, model, card = run()
    assert onnx.load_from_string(model).doc_string == "compressed"
    assert card.compression == TRIALS
    assert card.size_bytes == result.sizeBytes == len(model)


def test_if_nothing_is_kept_the_model_stays_and_the_trials_are_in_the_card(fake, run):
    fake.keeps = False
    _, model, card = run()
    assert onnx.load_from_string(model).doc_string != "compressed"
    assert [trial.method for trial in card.compression] == ["Original"]


def test_the_rows_for_training_and_for_the_gate_are_those_of_the_run(fake, run, rows):
    _, _, card = run()
    assert (card.data.held_out, card.evaluation.rows) == (300, 200)
    samples = fake.samples
    assert set(samples.learn) == set(samples.held_out) == {"gap", "wind", "carrier", "hour"}
    assert {len(values) for values in samples.learn.values()} == {700}
    # The earlier third of the held-out rows; the model is judged on the later ones.
    assert {len(values) for values in samples.held_out.values()} == {100}
    np.testing.assert_array_equal(
        samples.held_out["wind"][:, 0], rows(300, 2)["wind"].to_numpy()[:100]
    )
    assert samples.learn_truth.dtype == np.int64  # as the model's own label output
    assert (samples.metric, samples.higher_is_better) == ("roc_auc", True)


def test_outputs_are_scored_as_in_the_judge_step(fake, run, rows):
    _, model, _ = run()
    outputs = outputs_of(model, fake.samples)
    expected = roc_auc_score(rows(300, 2)["late"][:100], outputs["probabilities"][:, 1])
    assert fake.samples.score(outputs) == pytest.approx(expected, abs=1e-6)


def by_chance(model: bytes) -> list[bytes]:
    """Return two hundred linear models with random coefficients."""
    random, made = np.random.default_rng(0), []
    for _ in range(200):
        changed = onnx.load_from_string(model)
        (linear,) = [node for node in changed.graph.node if node.op_type == "LinearClassifier"]
        for attribute in linear.attribute:
            if attribute.name in ("coefficients", "intercepts"):
                count = len(attribute.floats) // 2
                drawn = random.normal(size=count)
                attribute.floats[:] = [*(-drawn), *drawn]
        made.append(changed.SerializeToString(deterministic=True))
    return made


def test_a_model_is_not_judged_on_the_rows_that_selected_it(fake, run, coins):
    # Random labels: the best of many models on some rows is no better on other rows.
    fake.variants = by_chance
    result, model, _ = run("accuracy", coins)
    score = fake.samples.score(outputs_of(model, fake.samples))
    judged = {metric.name: float(metric.value) for metric in result.metrics}
    assert score > 0.6
    assert judged["accuracy"] < 0.56


@pytest.fixture
def coins(rows):
    def drawn(count, seed):
        return rows(count, seed).assign(late=np.random.default_rng(seed).integers(0, 2, count))

    return drawn


def test_with_few_held_out_rows_nothing_is_compressed_and_the_reason_is_reported(fake, run, capsys):
    result, _, card = run(held_out=120)
    assert result.decision == "Accepted"
    assert fake.samples is None
    (trial,) = card.compression
    assert (trial.method, trial.status) == ("Float16", "NotApplicable")
    assert "the 120 held-out rows are too few" in trial.why
    assert "Raise data.holdoutPermille" in trial.why
    assert "not compressed: the 120 held-out rows" in capsys.readouterr().out
    assert card.evaluation.rows == 120


@given(count=st.integers(1, 700), seed=st.integers(0, 9), late=st.floats(0, 1))
def test_rows_for_the_gate_come_before_those_to_judge_on_and_none_is_both(count, seed, late):
    truth = np.where(np.random.default_rng(seed).random(count) < late, "1", "0").astype(object)
    frame = pd.DataFrame({"x": np.arange(count, dtype=np.float32)})
    parts = set_aside(HeldOutRows("Recent", frame, truth))
    if parts is None:
        cut = -(-count // 3)
        assert cut < 50 or len(set(truth[:cut])) < 2 or len(set(truth[cut:])) < 2
        return
    aside, judged = parts
    assert aside.frame["x"].max() + 1 == judged.frame["x"].min() >= 50
    assert len(aside.truth) + len(judged.truth) == count
    np.testing.assert_array_equal(np.concatenate([aside.truth, judged.truth]), truth)


def test_classes_are_measured_by_accuracy_if_the_gate_has_no_metric(fake, run):
    run(None)
    assert (fake.samples.metric, fake.samples.higher_is_better) == ("accuracy", True)


def test_for_an_error_smaller_is_better(fake, run):
    run("log_loss")
    assert not fake.samples.higher_is_better


def test_a_metric_of_a_regression_is_rejected_for_classes(fake, run):
    with pytest.raises(
        StepError, match=r"compression\.gate\.metric: expected one of accuracy"
    ) as e:
        run("rmse")
    assert e.value.reason is TrainingFailure.BAD_PLAN


def test_a_score_that_is_not_defined_is_reported_with_the_field(fake, run):
    fake.error = MetricError("roc_auc of the model is not defined on the held-out rows")
    with pytest.raises(
        StepError, match=r"^compression\.gate\.metric: roc_auc of the model"
    ) as error:
        run()
    assert error.value.reason is TrainingFailure.BAD_PLAN


def test_the_same_run_twice_gives_the_same_digest(fake, run):
    first, model, _ = run()
    again, same, _ = run()
    assert first.challenger == again.challenger
    assert digest_of(model) == digest_of(same)


def test_without_compression_its_tools_are_not_imported():
    code = (
        "import sys, perennial_trainer.steps.judge; "
        "print([name for name in sys.modules if name.startswith('onnxruntime.quantization')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

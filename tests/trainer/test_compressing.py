"""The judge's part in compression: what it hands over, and that what comes back is judged."""

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from support.capturing import make_plan, write_parquet

from perennial_contracts.compression import Compression
from perennial_contracts.digest import digest_of
from perennial_contracts.modelcard import CompressionTrial, ModelCard
from perennial_contracts.runstatus import DataSummary
from perennial_contracts.training import TrainingFailure
from perennial_trainer.errors import StepError
from perennial_trainer.judge import step as judge
from perennial_trainer.selection import step as train
from perennial_trainer.settings import StepSettings

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
    """Stands for the tools: it keeps what it was given, and answers the model with a note in it."""

    def __init__(self) -> None:
        self.samples: Any = None
        self.keeps = True
        self.problem = ""

    def compress(self, model, wanted, samples, *, seed, tell):
        self.samples = samples
        if self.problem:
            raise ValueError(self.problem)
        if not self.keeps:
            return Compressed(model, TRIALS[:1], None)
        changed = onnx.load_from_string(model)
        changed.doc_string = "compressed"
        return Compressed(changed.SerializeToString(deterministic=True), TRIALS, "Float16")


class Namespace:
    def __init__(self, **values) -> None:
        self.__dict__.update(values)


@pytest.fixture
def fake(monkeypatch) -> Fake:
    fake, module = Fake(), ModuleType("perennial_trainer.compress")
    module.Samples = Namespace
    module.compress = fake.compress
    monkeypatch.setitem(sys.modules, "perennial_trainer.compress", module)
    return fake


@pytest.fixture
def run(tmp_path, rows):
    settings = StepSettings("judge", tmp_path / "in", tmp_path / "held", tmp_path / "out", None, 0)
    write_parquet(rows(700, 1), settings.input / "train.parquet")
    write_parquet(rows(300, 2), settings.holdout / "recent.parquet")
    summary = DataSummary(digest="sha256:1", rows=700, captured=300)
    (settings.holdout / "data.json").write_text(summary.model_dump_json())

    def judged(metric="roc_auc"):
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


def test_where_nothing_is_kept_the_model_stays_and_the_trials_are_told(fake, run):
    fake.keeps = False
    _, model, card = run()
    assert onnx.load_from_string(model).doc_string != "compressed"
    assert [trial.method for trial in card.compression] == ["Original"]


def test_the_rows_to_learn_from_and_to_judge_on_are_those_of_the_run(fake, run):
    run()
    samples = fake.samples
    assert set(samples.learn) == set(samples.held_out) == {"gap", "wind", "carrier", "hour"}
    assert {len(values) for values in samples.learn.values()} == {700}
    assert {len(values) for values in samples.held_out.values()} == {300}
    assert samples.learn_truth.dtype == np.int64  # as the model's own label output
    assert (samples.metric, samples.higher_is_better) == ("roc_auc", True)


def test_outputs_are_scored_as_the_judge_scores_answers(fake, run):
    result, model, _ = run()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    outputs = dict(zip(names, session.run(names, fake.samples.held_out), strict=True))
    told = {metric.name: float(metric.value) for metric in result.metrics}
    assert fake.samples.score(outputs) == pytest.approx(told["roc_auc"], abs=1e-6)


def test_less_is_better_of_an_error(fake, run):
    run("log_loss")
    assert not fake.samples.higher_is_better


def test_a_metric_of_numbers_is_refused_for_classes(fake, run):
    with pytest.raises(
        StepError, match=r"compression\.gate\.metric: expected one of accuracy"
    ) as e:
        run("rmse")
    assert e.value.reason is TrainingFailure.BAD_PLAN


def test_what_the_tools_cannot_measure_is_told_by_field(fake, run):
    fake.problem = "gate.metric: roc_auc of the model is not defined on the held-out rows"
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

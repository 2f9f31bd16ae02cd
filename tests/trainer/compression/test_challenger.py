"""The judge's part in compression: what it hands over, and that what comes back is judged."""

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
from perennial_trainer.errors import StepError
from perennial_trainer.evaluation.held_out import Rows, set_aside
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
    """Stands for the tools: it keeps what it was given, and answers the model with a note in it."""

    def __init__(self) -> None:
        self.samples: Any = None
        self.keeps = True
        self.variants: Any = None
        self.problem = ""

    def compress(self, model, wanted, samples, *, seed, tell):
        self.samples = samples
        if self.variants is not None:
            best = max(self.variants(model), key=lambda made: samples.score(answers(made, samples)))
            return Compressed(best, TRIALS, "Float16")
        if self.problem:
            raise ValueError(self.problem)
        if not self.keeps:
            return Compressed(model, TRIALS[:1], None)
        changed = onnx.load_from_string(model)
        changed.doc_string = "compressed"
        return Compressed(changed.SerializeToString(deterministic=True), TRIALS, "Float16")


def answers(model: bytes, samples: Any) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, samples.held_out), strict=True))


class Namespace:
    def __init__(self, **values) -> None:
        self.__dict__.update(values)


@pytest.fixture
def fake(monkeypatch) -> Fake:
    fake, module = Fake(), ModuleType("perennial_trainer.compression")
    module.Samples = Namespace
    module.compress = fake.compress
    monkeypatch.setitem(sys.modules, "perennial_trainer.compression", module)
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


def test_where_nothing_is_kept_the_model_stays_and_the_trials_are_told(fake, run):
    fake.keeps = False
    _, model, card = run()
    assert onnx.load_from_string(model).doc_string != "compressed"
    assert [trial.method for trial in card.compression] == ["Original"]


def test_the_rows_to_learn_from_and_to_choose_by_are_those_of_the_run(fake, run, rows):
    _, _, card = run()
    assert (card.data.held_out, card.evaluation.rows) == (300, 200)
    samples = fake.samples
    assert set(samples.learn) == set(samples.held_out) == {"gap", "wind", "carrier", "hour"}
    assert {len(values) for values in samples.learn.values()} == {700}
    # The earlier third of the rows that are held out; the model is judged on the later ones.
    assert {len(values) for values in samples.held_out.values()} == {100}
    np.testing.assert_array_equal(
        samples.held_out["wind"][:, 0], rows(300, 2)["wind"].to_numpy()[:100]
    )
    assert samples.learn_truth.dtype == np.int64  # as the model's own label output
    assert (samples.metric, samples.higher_is_better) == ("roc_auc", True)


def test_outputs_are_scored_as_the_judge_scores_answers(fake, run, rows):
    _, model, _ = run()
    outputs = answers(model, fake.samples)
    expected = roc_auc_score(rows(300, 2)["late"][:100], outputs["probabilities"][:, 1])
    assert fake.samples.score(outputs) == pytest.approx(expected, abs=1e-6)


def by_chance(model: bytes) -> list[bytes]:
    """Two hundred linear models whose coefficients are drawn."""
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


def test_what_is_chosen_by_luck_is_not_judged_by_the_rows_that_it_was_lucky_on(fake, run, coins):
    # Labels that nothing tells: whoever is best of many on some rows is as bad as any on others.
    fake.variants = by_chance
    result, model, _ = run("accuracy", coins)
    flattered = fake.samples.score(answers(model, fake.samples))
    told = {metric.name: float(metric.value) for metric in result.metrics}
    assert flattered > 0.6
    assert told["accuracy"] < 0.56


@pytest.fixture
def coins(rows):
    def drawn(count, seed):
        return rows(count, seed).assign(late=np.random.default_rng(seed).integers(0, 2, count))

    return drawn


def test_with_few_rows_held_out_nothing_is_compressed_and_it_is_said_why(fake, run, capsys):
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
def test_rows_to_choose_by_come_before_those_to_judge_on_and_none_is_both(count, seed, late):
    truth = np.where(np.random.default_rng(seed).random(count) < late, "1", "0").astype(object)
    frame = pd.DataFrame({"x": np.arange(count, dtype=np.float32)})
    parts = set_aside(Rows("Recent", frame, truth))
    if parts is None:
        cut = -(-count // 3)
        assert cut < 50 or len(set(truth[:cut])) < 2 or len(set(truth[cut:])) < 2
        return
    aside, judged = parts
    assert aside.frame["x"].max() + 1 == judged.frame["x"].min() >= 50
    assert len(aside.truth) + len(judged.truth) == count
    np.testing.assert_array_equal(np.concatenate([aside.truth, judged.truth]), truth)


def test_classes_are_measured_by_accuracy_where_the_gate_names_no_metric(fake, run):
    run(None)
    assert (fake.samples.metric, fake.samples.higher_is_better) == ("accuracy", True)


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

import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from support import small_models
from threadpoolctl import threadpool_limits

from perennial_contracts.api.compression import Compression
from perennial_trainer.compression import compress as step
from perennial_trainer.compression import network as dense_network
from perennial_trainer.compression.compress import compress
from perennial_trainer.compression.method import NotApplicableError, Variant
from perennial_trainer.compression.running import measure
from perennial_trainer.compression.samples import Samples

ROWS, TRUTH = small_models.rings()
METHODS = ("Int8Dynamic", "Int8Static", "Float16", "Prune", "Distill")
SAMPLES = small_models.samples(ROWS, TRUTH, small_models.likeliest)


def wanted(*methods, loss=20, metric="accuracy"):
    return Compression.model_validate(
        {
            "methods": [{"type": method} for method in methods],
            "gate": {"metric": metric, "maxLossPermille": loss},
        }
    )


def run(model, spec, samples=SAMPLES, log=lambda line: None):
    return compress(model, spec, samples, seed=3, log=log, rounds=2)


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch):
    monkeypatch.setattr(dense_network, "OPERATIONS", 5e8)


@pytest.fixture(scope="module")
def network() -> bytes:
    return small_models.trained_mlp(ROWS, TRUTH, hidden=512)


@pytest.fixture(scope="module")
def forest() -> bytes:
    return small_models.trees(RandomForestClassifier(60, random_state=0), ROWS[:400], TRUTH[:400])


def test_every_method_is_tried_and_the_first_that_passes_is_served(network):
    lines = []
    made = run(network, wanted(*METHODS), log=lines.append)
    assert [trial.method for trial in made.trials] == ["Original", *METHODS]
    assert made.trials[0].status == "Original"
    assert made.method == "Int8Dynamic"
    assert len(made.model) == made.trials[1].size_bytes < 0.5 * len(network)
    assert {trial.status for trial in made.trials[2:]} <= {"Passed", "Refused"}
    assert len(lines) == 5
    for trial in made.trials[1:]:
        assert trial.p95_microseconds >= trial.p50_microseconds > 0
        assert trial.batch_rows == 64
        assert trial.why
    assert made.trials[-1].control is not None


def test_a_forest_is_pruned_or_distilled_and_8_bits_do_not_apply(forest):
    samples = small_models.samples(ROWS, TRUTH)
    made = run(forest, wanted(*METHODS, loss=50), samples)
    assert [trial.status for trial in made.trials[1:4]] == ["NotApplicable"] * 3
    assert made.method == "Prune"
    assert len(made.model) < 0.5 * len(forest)


def test_a_variant_that_loses_too_much_is_refused_and_the_model_stays_unchanged(forest):
    samples = small_models.samples(ROWS, TRUTH)
    spoilt = Samples(
        samples.learn,
        samples.held_out,
        lambda given: float(np.array_equal(given["probabilities"], original)),
        "accuracy",
        higher_is_better=True,
    )
    original = step.Session(forest).run(samples.held_out)["probabilities"]
    made = run(forest, wanted("Distill", loss=0), spoilt)
    assert made.model == forest
    assert made.method is None
    assert [trial.status for trial in made.trials] == ["Original", "Refused"]
    assert "the limit is a loss of 0.0000" in made.trials[1].why


def test_a_failed_method_does_not_stop_the_others(network, monkeypatch):
    def breaks(model, samples, seed):
        raise RuntimeError("no such thing\nand more")

    monkeypatch.setattr(step, "METHODS", {**step.METHODS, "Int8Dynamic": breaks})
    made = run(network, wanted("Int8Dynamic", "Float16"))
    assert made.trials[1].status == "Failed"
    assert made.trials[1].why == "RuntimeError: no such thing"
    assert made.method == "Float16"


def test_a_model_with_other_outputs_is_never_served(network, forest, monkeypatch):
    def strange(model, samples, seed):
        return [Variant(forest, "another model")]

    monkeypatch.setattr(step, "METHODS", {"Prune": strange})
    made = run(network, wanted("Prune"))
    assert made.trials[1].status == "Failed"
    assert "expected inputs and outputs" in made.trials[1].why
    assert made.model == network


def test_the_strongest_variant_that_passes_represents_its_method(network, monkeypatch):
    made_variants = []

    def variants(model, samples, seed):
        for description in ("strong", "mild", "milder"):
            made_variants.append(description)
            yield Variant(model, description)

    values = iter([0.9, 0.5, 0.89])
    scored = Samples(SAMPLES.learn, SAMPLES.held_out, lambda given: next(values), "accuracy", True)
    monkeypatch.setattr(step, "METHODS", {"Prune": variants})
    made = run(network, wanted("Prune"), scored)
    assert made_variants == ["strong", "mild"]
    assert made.trials[1].why.startswith("mild: accuracy 0.9000 → 0.8900")


def test_a_method_that_is_not_applicable_has_a_reason(network, monkeypatch):
    def absent(model, samples, seed):
        raise NotApplicableError("nothing to do here")

    monkeypatch.setattr(step, "METHODS", {"Prune": absent})
    made = run(network, wanted("Prune"))
    assert made.trials[1].status == "NotApplicable"
    assert made.trials[1].why == "nothing to do here"
    assert made.trials[1].size_bytes is None


def test_a_gate_with_another_metric_than_the_rows_is_rejected(network):
    with pytest.raises(ValueError, match=r"gate\.metric: expected accuracy.*got mae"):
        run(network, wanted("Prune", metric="mae"))


def test_an_undefined_score_of_the_model_is_rejected(network):
    undefined = Samples({}, SAMPLES.held_out, lambda given: float("nan"), "accuracy", True)
    with pytest.raises(ValueError, match="not defined on the held-out rows"):
        run(network, wanted("Prune"), undefined)


def test_rows_to_judge_on_are_required():
    with pytest.raises(ValueError, match="held_out: expected rows"):
        Samples({}, {}, lambda given: 1.0, "accuracy", higher_is_better=True)
    with pytest.raises(ValueError, match="learn_truth: expected a value for each of the 600"):
        Samples({"X": ROWS}, {"X": ROWS}, lambda given: 1.0, "accuracy", True, TRUTH[:5])


def test_models_are_timed_on_rows_that_they_accept():
    small = small_models.trained_mlp(ROWS, TRUTH, hidden=4)
    large = small_models.mlp(small_models.initial([8, 2000, 2000, 3], 0))
    first, second = measure([small, large], {"X": ROWS[:10]}, rounds=3)
    assert first.batch_rows == second.batch_rows == 10
    assert second.p50_microseconds > 3 * first.p50_microseconds
    assert first.size_bytes == len(small)
    assert first.transfer_bytes < first.size_bytes


DIGESTS = """
import hashlib, sys
from pathlib import Path
import numpy as np
from perennial_trainer.compression import compress, network
from perennial_trainer.compression.samples import Samples
network.OPERATIONS = 2e7
rows = np.load(sys.argv[1])
samples = Samples({"X": rows}, {"X": rows}, lambda given: 1.0, "accuracy", True)
for path in sys.argv[2:]:
    for method, make in compress.METHODS.items():
        try:
            for variant in make(Path(path).read_bytes(), samples, 3):
                print(method, variant.description, hashlib.sha256(variant.model).hexdigest())
        except compress.NotApplicableError:
            pass
"""


def test_another_process_makes_the_same_bytes(tmp_path, forest, network, monkeypatch, capsys):
    # Processes have different hash seeds, which change the order of sets.
    paths = [tmp_path / name for name in ("rows.npy", "forest.onnx", "network.onnx")]
    np.save(paths[0], ROWS[:300])
    paths[1].write_bytes(forest)
    paths[2].write_bytes(network)
    arguments = ["-c", *map(str, paths)]
    other = subprocess.run(
        [sys.executable, "-c", DIGESTS, *arguments[1:]],
        env={**os.environ, "PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    monkeypatch.setattr(sys, "argv", arguments)
    with threadpool_limits(1):
        exec(DIGESTS, {})
    assert capsys.readouterr().out == other.stdout
    assert len(other.stdout.splitlines()) > 10

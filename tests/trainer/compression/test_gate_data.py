import numpy as np
import pytest
from support.capturing import write_parquet

from perennial_contracts.api.compression import Compression
from perennial_contracts.api.search import Search
from perennial_contracts.wire.run_plan import TrainingFailure
from perennial_trainer.compression.gate_data import compress_rows
from perennial_trainer.errors import StepError
from perennial_trainer.steps.fit import make_bundle

FOREST = {"candidates": ["DecisionTree"], "maxTrials": 1}


def wanted(metric=None) -> Compression:
    gate = {"metric": metric, "label": "late", "data": "s3://models/rows.parquet"}
    return Compression(methods=[{"type": "Float16"}], gate=gate)


@pytest.fixture(params=["Classification", "Regression"])
def prepared(request, rows, tmp_path):
    """Return a model, its labels, the gate's file, and the usual metric."""
    numbers = request.param == "Regression"
    training, gate_rows = rows(600, 1), rows(300, 2)
    if numbers:
        training, gate_rows = (
            table.assign(late=table["wind"] * np.float64(3) + table["hour"])
            for table in (training, gate_rows)
        )
    search = Search(task=request.param, **FOREST)
    made = make_bundle(training, label="late", positive=None, search=search, lineage={})
    write_parquet(gate_rows, tmp_path / "rows.parquet")
    labels = None if numbers else ["0", "1"]
    usual = "rmse" if numbers else "accuracy"
    return made.files["model.onnx"], labels, tmp_path / "rows.parquet", usual


def test_without_a_metric_the_gate_uses_the_usual_one_of_the_task(prepared):
    model, labels, data, usual = prepared
    same, profile, trials = compress_rows(model, labels, wanted(), data)
    assert trials[0].metric == usual
    assert [trial.status for trial in trials] == ["Original", "NotApplicable"]
    assert same == model
    assert usual in profile.quality


def test_a_metric_of_the_other_task_is_rejected_with_the_known_ones(prepared):
    model, labels, data, usual = prepared
    other = "accuracy" if usual == "rmse" else "rmse"
    with pytest.raises(
        StepError, match=rf"gate\.metric: expected one of .*{usual}.*got {other}"
    ) as e:
        compress_rows(model, labels, wanted(other), data)
    assert e.value.reason is TrainingFailure.BAD_PLAN

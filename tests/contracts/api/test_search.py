"""Defaults of a search, its metric and gate, and its budget."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from perennial_contracts.api.compression import CompressionGate, resolve_compression_gate
from perennial_contracts.api.crd import openapi
from perennial_contracts.api.retrainjob import RetrainJob, RetrainTemplate, TrainingData
from perennial_contracts.api.search import Budget, Gate, Search
from perennial_contracts.wire.run_plan import Plan, Progress, Trigger

DATA = {"label": "late"}
OUTPUT = {"uri": "s3://models/late"}


@pytest.mark.parametrize(
    ("search", "gate", "metrics"),
    [
        ({}, {}, ("f1", "f1")),
        ({"metric": "roc_auc"}, {}, ("roc_auc", "roc_auc")),
        ({"metric": "roc_auc"}, {"metric": "f1"}, ("roc_auc", "f1")),
        ({"task": "Regression"}, {}, ("rmse", "rmse")),
        ({"task": "Regression", "metric": "mae"}, {"minValuePermille": 5}, ("mae", "mae")),
        ({"task": "Regression"}, {"metric": "r2"}, ("rmse", "r2")),
    ],
)
def test_the_metric_follows_from_the_task_and_the_gates_from_the_searchs(search, gate, metrics):
    template = RetrainTemplate.model_validate(
        {"data": DATA, "search": search, "gate": gate, "output": OUTPUT}
    )
    assert (template.search.metric, template.gate.metric) == metrics
    plan = Plan(
        namespace="n",
        model="m",
        job="j",
        trigger=Trigger(),
        data=TrainingData(label="late"),
        search=Search(**search),
        gate=Gate(**gate),
        output="s3://models/late",
        now="2026-01-01T00:00:00Z",
    )
    assert (plan.search.metric, plan.gate.metric) == metrics
    again = Plan.model_validate_json(plan.model_dump_json())
    assert (again.search.metric, again.gate.metric) == metrics


@pytest.mark.parametrize(
    ("named", "task", "metric"),
    [
        (None, "Classification", "accuracy"),
        (None, "Regression", "rmse"),
        ("roc_auc", "Classification", "roc_auc"),
        ("mae", "Regression", "mae"),
    ],
)
def test_the_metric_of_a_compression_follows_from_the_task(named, task, metric):
    gate = CompressionGate(metric=named, maxLossPermille=7)
    assert resolve_compression_gate(gate, task) == CompressionGate(metric=metric, maxLossPermille=7)


@pytest.mark.parametrize(
    ("text", "size"),
    [("50Mi", 50 * 2**20), ("500k", 500_000), (1000, 1000), ("1Gi", 2**30), ("7", 7), (None, None)],
)
def test_a_size_is_a_quantity_of_bytes(text, size):
    assert Budget(sizeBytes=text).size == size


@pytest.mark.parametrize("text", ["", "0", "-1", "5 MB", "1.5Mi", "50MiB", 0, "1" * 13])
def test_an_invalid_size_is_rejected_with_an_example(text):
    with pytest.raises(ValidationError, match="expected a size in bytes such as 50Mi"):
        Budget(sizeBytes=text)


def test_only_set_limits_are_listed():
    assert Budget().limits() == {}
    assert Budget(p95Microseconds=30, sizeBytes="1k").limits() == {
        "p95Microseconds": 30,
        "sizeBytes": 1000,
    }


def test_rules_of_a_kind_and_of_its_field_are_both_in_the_crd():
    spec = openapi(RetrainJob)["properties"]["spec"]
    messages = [rule["message"] for rule in spec["x-kubernetes-validations"]]
    assert any("gate.metric" in message for message in messages)
    assert any("immutable" in message for message in messages)


@given(st.builds(Progress))
def test_progress_reads_back_as_it_was_written(progress):
    assert Progress.model_validate_json(progress.model_dump_json()) == progress

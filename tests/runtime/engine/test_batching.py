"""Requests that arrive together run together, if that is right and faster."""

import json
import threading
from itertools import count, pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from perennial_contracts.wire.digest import digest_of
from perennial_runtime.engine import batching
from perennial_runtime.engine.engine import Engine, Inference
from perennial_runtime.engine.model import LoadedModel
from perennial_runtime.errors import BadRequestError
from perennial_runtime.metrics import Metrics
from perennial_runtime.routing import Route
from perennial_runtime.signature import TensorSpec
from perennial_storage.artifact import Artifact

X = TensorSpec("X", "FP32", (-1, 2))
Y = TensorSpec("Y", "FP32", (-1, 2))


class FakeModel:
    """A model that computes a function and records the sizes of its runs."""

    def __init__(self, function, seconds_a_run=1.0, seconds_a_row=0.0, outputs=(Y,)):
        self.inputs, self.outputs = (X,), tuple(outputs)
        self.seconds = 0.001
        self.function = function
        self.sizes = []

    def run(self, feeds, outputs):
        self.sizes.append(len(feeds["X"]))
        result = self.function(feeds["X"])
        return [result for _ in outputs]


class FakeMonitor:
    def __init__(self):
        self.rows = 0
        self._ids = count()

    def record(self, feeds, results, *, with_ids=False):
        rows = len(feeds["X"])
        self.rows += rows
        return [str(next(self._ids)) for _ in range(rows)] if with_ids else ()


def inference(values, *, wants_ids=False, cancelled=False, outputs=("Y",)):
    feeds = {"X": np.array(values, np.float32).reshape(-1, 2)}
    call = SimpleNamespace(cancelled=cancelled, arrived=0.0, path="/")
    endpoint = SimpleNamespace(wants_ids=wants_ids)
    request = SimpleNamespace(feeds=feeds, outputs=outputs)
    return Inference(call, Route("v2", "infer", "POST"), endpoint, request)


@pytest.fixture
def engine(monkeypatch):
    """An engine of a model that doubles its inputs and rejects negative numbers."""

    def double(x):
        if (x < 0).any():
            raise BadRequestError("negative")
        return x * 2

    monkeypatch.setattr(batching, "is_worthwhile", lambda model: True)
    model = FakeModel(double)
    return Engine(model, FakeMonitor(), (), Metrics(), 8)


def test_each_request_gets_the_results_of_its_own_rows(engine):
    inferences = [inference([1, 2]), inference([3, 4, 5, 6], wants_ids=True), inference([7, 8])]
    engine.run(inferences)
    assert [each.results[0].tolist() for each in inferences] == [
        [[2, 4]],
        [[6, 8], [10, 12]],
        [[14, 16]],
    ]
    assert [list(each.ids) for each in inferences] == [[], ["1", "2"], []]
    assert engine._model.sizes == [4]
    assert engine._monitor.rows == 4


def test_an_invalid_request_fails_alone(engine):
    inferences = [inference([1, 2]), inference([-1, 2]), inference([3, 4])]
    engine.run(inferences)
    assert [each.error for each in inferences][::2] == [None, None]
    assert isinstance(inferences[1].error, BadRequestError)
    assert inferences[2].results[0].tolist() == [[6, 8]]
    assert engine._monitor.rows == 2


def test_an_unexpected_error_fails_alone_too(engine):
    double = engine._model.function

    def break_down(x):
        if (x == 5).any():
            raise RuntimeError("not today")
        return double(x)

    engine._model.function = break_down
    inferences = [inference([1, 2]), inference([5, 2]), inference([3, 4])]
    engine.run(inferences)
    assert [type(each.error) for each in inferences] == [type(None), RuntimeError, type(None)]
    assert inferences[2].results[0].tolist() == [[6, 8]]


def test_a_batch_has_at_most_the_maximum_rows(engine):
    inferences = [inference([1, 2] * 3) for _ in range(4)] + [inference([1, 2] * 100)]
    engine.run(inferences)
    assert sorted(engine._model.sizes) == [6, 6, 100]


def test_requests_for_different_outputs_are_not_mixed(engine):
    inferences = [inference([1, 2]), inference([3, 4], outputs=("Y", "Z")), inference([5, 6])]
    engine.run(inferences)
    assert sorted(engine._model.sizes) == [1, 2]
    assert len(inferences[1].results) == 2


def test_a_cancelled_request_does_not_run(engine):
    inferences = [inference([1, 2], cancelled=True)]
    engine.run(inferences)
    assert engine._model.sizes == []
    assert inferences[0].error.status == 499


def test_a_model_that_mixes_its_rows_is_never_batched():
    assert not batching.is_worthwhile(FakeModel(lambda x: x - x.mean(axis=0)))


def test_a_model_with_one_output_for_all_rows_is_never_batched():
    assert not batching.is_worthwhile(FakeModel(lambda x: x.sum(axis=0, keepdims=True)))


def test_a_model_that_rejects_the_samples_is_not_batched():
    def reject(x):
        raise BadRequestError("no")

    assert not batching.is_worthwhile(FakeModel(reject))


def test_a_model_with_a_fixed_number_of_rows_is_not_batched():
    fixed = FakeModel(lambda x: x)
    fixed.inputs = (TensorSpec("X", "FP32", (1, 2)),)
    assert not batching.is_worthwhile(fixed)
    assert fixed.sizes == []


def many_small_steps(steps=60):
    """Return a model that needs much time for each run, and little for each row."""
    names = ["X", *(f"h{i}" for i in range(steps)), "Y"]
    one = numpy_helper.from_array(np.ones(1, np.float32), "one")
    nodes = [
        helper.make_node("Mul" if i % 2 else "Sin", [a, "one"] if i % 2 else [a], [b])
        for i, (a, b) in enumerate(pairwise(names))
    ]
    x = helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", 2])
    y = helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["N", 2])
    graph = helper.make_graph(nodes, "g", [x], [y], initializer=[one])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def test_a_real_model_of_many_steps_is_batched(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(many_small_steps())
    model = LoadedModel(Artifact(digest_of(path.read_bytes()), path, None), 1)
    assert batching.is_worthwhile(model)


def test_under_load_requests_run_together_and_get_their_own_results(start, tmp_path):
    (tmp_path / "steps.onnx").write_bytes(many_small_steps())
    server = start(tmp_path / "steps.onnx")
    assert server.wait_for("ready")["batches"] is True
    expected = {}
    wrong = []

    def send(number):
        connection = server.connect()
        for turn in range(50):
            value = number + turn / 64
            tensor = {"name": "X", "datatype": "FP32", "shape": [1, 2], "data": [value, -value]}
            connection.request("POST", "/v2/models/steps/infer", json.dumps({"inputs": [tensor]}))
            found = json.loads(connection.getresponse().read())["outputs"][0]["data"]
            if not np.allclose(found[0], -found[1], rtol=1e-5):
                wrong.append((value, found))
            expected[value] = found[0]
        connection.close()

    threads = [threading.Thread(target=send, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    for value, found in expected.items():
        result = value
        for _ in range(31):
            result = np.sin(result)
        assert found == pytest.approx(result, rel=1e-3)
    lines = server.request("GET", "/metrics")[1].splitlines()
    runs = float(
        next(x for x in lines if x.startswith("perennial_runtime_run_seconds_c")).split()[-1]
    )
    assert runs <= 400
    assert len(expected) == 400

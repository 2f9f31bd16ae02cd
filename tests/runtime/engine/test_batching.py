"""Requests that come together are run together, where that is right and quicker."""

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
from perennial_runtime.engine.model import Model
from perennial_runtime.engine.thread_pool import ThreadPool
from perennial_runtime.errors import BadRequestError
from perennial_runtime.metrics import Metrics
from perennial_runtime.routing import Route
from perennial_runtime.signature import TensorSpec
from perennial_storage.artifact import Artifact

X = TensorSpec("X", "FP32", (-1, 2))
Y = TensorSpec("Y", "FP32", (-1, 2))


class Pretended:
    """A model whose runs take as long as is said, on a clock of its own."""

    def __init__(self, function, seconds_a_run=1.0, seconds_a_row=0.0, outputs=(Y,)):
        self.inputs, self.outputs = (X,), tuple(outputs)
        self.seconds = 0.001
        self.function = function
        self.sizes = []

    def run(self, feeds, outputs):
        self.sizes.append(len(feeds["X"]))
        result = self.function(feeds["X"])
        return [result for _ in outputs]


class Monitor:
    def __init__(self):
        self.rows = 0
        self._ids = count()

    def answered(self, feeds, results, *, with_ids=False):
        rows = len(feeds["X"])
        self.rows += rows
        return [str(next(self._ids)) for _ in range(rows)] if with_ids else ()


def job(values, *, wants_ids=False, cancelled=False, outputs=("Y",)):
    feeds = {"X": np.array(values, np.float32).reshape(-1, 2)}
    call = SimpleNamespace(cancelled=cancelled, arrived=0.0, path="/")
    endpoint = SimpleNamespace(wants_ids=wants_ids)
    request = SimpleNamespace(feeds=feeds, outputs=outputs)
    return Inference(call, Route("v2", "infer", "POST"), endpoint, request)


@pytest.fixture
def engine(monkeypatch):
    """An engine of a model that doubles; it refuses rows with a negative number."""

    def double(x):
        if (x < 0).any():
            raise BadRequestError("negative")
        return x * 2

    monkeypatch.setattr(batching, "pays", lambda model: True)
    model = Pretended(double)
    return Engine(model, Monitor(), (), Metrics(), 8)


def test_requests_of_several_rows_get_their_own_rows_back(engine):
    jobs = [job([1, 2]), job([3, 4, 5, 6], wants_ids=True), job([7, 8])]
    engine.run(jobs)
    assert [j.results[0].tolist() for j in jobs] == [
        [[2, 4]],
        [[6, 8], [10, 12]],
        [[14, 16]],
    ]
    assert [list(j.ids) for j in jobs] == [[], ["1", "2"], []]
    assert engine._model.sizes == [4]
    assert engine._monitor.rows == 4


def test_a_bad_request_fails_alone(engine):
    jobs = [job([1, 2]), job([-1, 2]), job([3, 4])]
    engine.run(jobs)
    assert [j.error for j in jobs][::2] == [None, None]
    assert isinstance(jobs[1].error, BadRequestError)
    assert jobs[2].results[0].tolist() == [[6, 8]]
    assert engine._monitor.rows == 2


def test_an_error_that_was_not_foreseen_fails_alone_too(engine):
    """And never ends the thread that runs the jobs."""
    double = engine._model.function

    def break_down(x):
        if (x == 5).any():
            raise RuntimeError("not today")
        return double(x)

    engine._model.function = break_down
    jobs = [job([1, 2]), job([5, 2]), job([3, 4])]
    engine.run(jobs)
    assert [type(j.error) for j in jobs] == [type(None), RuntimeError, type(None)]
    assert jobs[2].results[0].tolist() == [[6, 8]]


def test_a_batch_has_at_most_so_many_rows(engine):
    jobs = [job([1, 2] * 3) for _ in range(4)] + [job([1, 2] * 100)]
    engine.run(jobs)
    assert sorted(engine._model.sizes) == [6, 6, 100]


def test_requests_for_different_outputs_are_not_mixed(engine):
    jobs = [job([1, 2]), job([3, 4], outputs=("Y", "Z")), job([5, 6])]
    engine.run(jobs)
    assert sorted(engine._model.sizes) == [1, 2]
    assert len(jobs[1].results) == 2


def test_what_nobody_waits_for_is_not_run(engine):
    jobs = [job([1, 2], cancelled=True)]
    engine.run(jobs)
    assert engine._model.sizes == []
    assert jobs[0].error.status == 499


def test_a_model_that_mixes_its_rows_is_never_batched():
    assert not batching.pays(Pretended(lambda x: x - x.mean(axis=0)))


def test_a_model_of_one_output_for_all_rows_is_never_batched():
    assert not batching.pays(Pretended(lambda x: x.sum(axis=0, keepdims=True)))


def test_a_model_that_refuses_the_samples_is_not_batched():
    def refuse(x):
        raise BadRequestError("no")

    assert not batching.pays(Pretended(refuse))


def test_a_model_of_fixed_rows_is_not_batched():
    fixed = Pretended(lambda x: x)
    fixed.inputs = (TensorSpec("X", "FP32", (1, 2)),)
    assert not batching.pays(fixed)
    assert fixed.sizes == []


def many_small_steps(steps=60):
    """A model that has much to do for each run, and little for each row."""
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
    model = Model(Artifact(digest_of(path.read_bytes()), path, None), 1)
    assert batching.pays(model)


def test_under_load_the_server_runs_requests_together_and_mixes_nothing_up(start, tmp_path):
    (tmp_path / "steps.onnx").write_bytes(many_small_steps())
    server = start(tmp_path / "steps.onnx")
    assert server.wait_for("ready")["batches"] is True
    expected = {}
    wrong = []

    def ask(number):
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

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
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


def test_workers_take_what_waits_and_no_more_than_is_allowed():
    started, release = threading.Event(), threading.Event()
    done, taken = threading.Event(), []

    def work(items):
        taken.append(list(items))
        started.set()
        release.wait(60)
        if sum(map(len, taken)) == 6:
            done.set()

    workers = ThreadPool(work, 1, 3, lambda item: 1, 0.0, lambda: 0)
    workers.put([0])
    assert started.wait(60)
    workers.put([1, 2, 3, 4, 5])
    assert workers.waiting == 5
    release.set()
    assert done.wait(60)
    assert taken == [[0], [1, 2, 3], [4, 5]]


def test_large_items_are_taken_one_by_one():
    release, done, taken = threading.Event(), threading.Event(), []

    def work(items):
        release.wait(60)
        taken.append(list(items))
        if sum(map(len, taken)) == 4:
            done.set()

    workers = ThreadPool(work, 1, 8, lambda item: item, 0.0, lambda: 0)
    workers.put([10_000_000, 9_000_000, 1, 2])
    release.set()
    assert done.wait(60)
    assert taken == [[10_000_000], [9_000_000], [1, 2]]


def test_a_lone_request_does_not_wait_for_others():
    done, taken = threading.Event(), []

    def work(items):
        taken.append(list(items))
        done.set()

    workers = ThreadPool(work, 1, 8, lambda item: 1, 3600.0, lambda: 1)
    workers.put([1])
    assert done.wait(60)


def test_while_more_are_expected_a_batch_waits_for_them():
    done, taken = threading.Event(), []

    def work(items):
        taken.append(list(items))
        done.set()

    workers = ThreadPool(work, 1, 8, lambda item: 1, 3600.0, lambda: 3)
    for item in (1, 2, 3):
        workers.put([item])
    assert done.wait(60)
    assert taken == [[1, 2, 3]]

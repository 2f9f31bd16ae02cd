"""Captured rows can be read. Rows that cannot be written are dropped and counted."""

import signal
import threading
import time
from pathlib import Path

import duckdb
import numpy as np
import pytest
from onnx import TensorProto
from support.captured import MODEL, ROW, capture_of, feed_back, predict, read, wait_until
from support.runtime import PATIENCE

from perennial_contracts.wire.counters import CaptureCounts
from perennial_contracts.wire.outcome import LoadFailure
from perennial_runtime.classes import Classes, score_bin
from perennial_runtime.monitoring.capture import CaptureSettings, CaptureWriter
from perennial_runtime.monitoring.drift_counters import Batch
from perennial_runtime.monitoring.monitored_model import MonitoredModel
from perennial_runtime.monitoring.parquet import CapturedPredictions, predictions_file
from perennial_runtime.protocol.perennial.prediction_id import IdMaker
from perennial_runtime.signature import DTYPES, TensorSpec
from perennial_storage.errors import StorageError

CLASSES = Classes(("0", "1"), 1)
DAY = 86_400_000


@pytest.fixture
def serve(start, flights, write_files):
    def run(*arguments, **environment):
        return start(write_files(flights()), "--name", "flights", *arguments, **environment)

    return run


def test_predictions_and_labels_can_be_joined(serve, tmp_path):
    folder = tmp_path / "captured"
    server = serve("--capture", str(folder))
    before = time.time()
    ids = predict(server, ROW, {"seats": 7, "weekend": True})
    feed_back(server, (ids[0], 0), (ids[1], "1"))
    feed_back(server, (ids[0], 1))
    server.terminate(signal.SIGINT)  # waiting rows are written at the end
    assert server.exit_code() == 0
    rows = read(
        folder,
        "SELECT p._prediction_id, p._label, round(p._score, 4), amount, carrier, seats, weekend, "
        "  arg_max(l._label, l._time), count(*), epoch(any_value(p._time)), p.model "
        "FROM ?predictions p JOIN ?labels l USING (_prediction_id) "
        "GROUP BY ALL ORDER BY amount",
    )
    assert [row[:9] for row in rows] == [
        (ids[0], "1", 0.9526, 2.0, "AA", 150, False, "1", 2),
        (ids[1], "0", 0.5, None, None, 7, True, "1", 1),
    ]
    assert all(before - 1 < row[9] < time.time() + 1 and row[10] == "flights" for row in rows)
    version = IdMaker("flights", "0" * 12).read(ids[0]).version
    date = time.strftime("%Y-%m-%d", time.gmtime(before))
    days = {date, time.strftime("%Y-%m-%d", time.gmtime())}
    found = {path.relative_to(folder).parent.as_posix() for path in folder.rglob("*.parquet")}
    assert found <= {
        path
        for day in days
        for path in (
            f"predictions/model=flights/version={version}/date={day}",
            f"labels/model=flights/date={day}",
        )
    }


def test_infer_is_captured_too_and_files_are_written_on_time(serve, tmp_path):
    folder = tmp_path / "captured"
    server = serve("--capture", f"file://{folder}", "--capture-flush-seconds", "0.2")
    shapes = {"amount": "FP32", "carrier": "BYTES", "seats": "INT64", "weekend": "BOOL"}
    inputs = [
        {"name": name, "datatype": kind, "shape": [2] if kind == "BOOL" else [2, 1], "data": data}
        for (name, kind), data in zip(
            shapes.items(), ([1.5, None], ["AA", ""], [1, 2], [True, False]), strict=True
        )
    ]
    assert server.request("POST", f"{MODEL}/infer", {"inputs": inputs})[0] == 200
    wait_until(lambda: capture_of(server).written == 2)
    assert capture_of(server) == CaptureCounts(written=2)
    text = server.request("GET", "/metrics")[1]
    assert 'perennial_runtime_captured_rows_total{outcome="written"} 2.0' in text
    rows = read(folder, "SELECT amount, carrier, length(_prediction_id) FROM ?predictions")
    assert sorted(rows, key=str) == [(1.5, "AA", 32), (None, None, 32)]


def test_a_sample_is_kept_and_all_labels(serve, tmp_path):
    folder = tmp_path / "captured"
    server = serve("--capture", str(folder), "--capture-permille", "100")
    ids = predict(server, *[ROW] * 2000)
    feed_back(server, *((text, 1) for text in ids))
    server.terminate(signal.SIGINT)
    assert server.exit_code() == 0
    kept = {row[0] for row in read(folder, "SELECT _prediction_id FROM ?predictions")}
    assert kept < set(ids)
    assert 100 < len(kept) < 300
    assert read(folder, "SELECT count(*) FROM ?labels") == [(2000,)]


def test_a_failing_store_does_not_delay_requests(serve, tmp_path, monkeypatch):
    (tmp_path / "a-file").write_text("")
    server = serve("--capture", str(tmp_path / "a-file"), "--capture-flush-seconds", "0.05")
    predict(server, ROW)
    wait_until(lambda: capture_of(server).dropped == 1)
    predict(server, ROW, ROW)
    wait_until(lambda: capture_of(server).dropped == 3)
    problem = capture_of(server).problem
    assert "a-file: Not a directory. Set --capture to a writable folder" in problem
    lines = [line for line in server.lines if "captured rows cannot be written" in line["message"]]
    assert [line["problem"] for line in lines] == [problem]
    text = server.request("GET", "/metrics")[1]
    assert 'perennial_runtime_captured_rows_total{outcome="dropped"} 3.0' in text


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ({"x": (TensorProto.FLOAT, ["N", 2])}, "the model does not accept rows of a table"),
        ({"_time": (TensorProto.FLOAT, ["N"])}, "the input '_time' has the name of a column"),
    ],
)
def test_a_model_without_table_rows_is_served_but_not_captured(
    start, identity, tmp_path, inputs, problem
):
    (tmp_path / "same.onnx").write_bytes(identity(**inputs))
    server = start(tmp_path / "same.onnx", "--capture", str(tmp_path / "captured"))
    line = server.wait_for("the model is served, but not captured")
    assert problem in line["problem"]
    assert capture_of(server, "same") == CaptureCounts(problem=line["problem"])


def test_without_capture_there_are_no_counts_of_it_and_arrow_is_not_loaded(serve):
    server = serve()
    predict(server, ROW)
    assert server.request("GET", f"{MODEL}/counters")[1]["capture"] is None
    assert "arro3" not in Path(f"/proc/{server.process.pid}/maps").read_text()


class Sink:
    """A sink that keeps files in memory, fails, or blocks."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.failures = 0
        self.attempts: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def put(self, path: str, data: bytes) -> None:
        self.attempts.append(path)
        assert self.gate.wait(PATIENCE)
        if self.failures:
            self.failures -= 1
            raise StorageError(LoadFailure.STORE_UNREACHABLE, "s3://captured", "the store is down")
        self.files[path] = data


@pytest.fixture
def sink(monkeypatch):
    monkeypatch.setattr("perennial_runtime.monitoring.capture.RETRY_SECONDS", (0.0, 0.0))
    return Sink()


@pytest.fixture
def capture(sink):
    made = []

    def make(**settings):
        features = [TensorSpec("amount", "FP32", (-1, 1))]
        version = "0" * 12
        model = MonitoredModel("m", version, "", features, IdMaker("m", version), CLASSES)
        limits = CaptureSettings(**{"flush_seconds": 3600.0, **settings})
        capture = CaptureWriter(sink, model, "me", limits)
        made.append(capture)
        return capture

    yield make
    sink.gate.set()
    for capture in made:
        capture.close(PATIENCE)


def batch(rows) -> Batch:
    answers = np.zeros(rows, np.int64), np.tile(np.array([0.75, 0.25], np.float32), (rows, 1))
    return Batch(rows, {"amount": np.ones((rows, 1), np.float32)}, *answers)


def ids(rows):
    return [f"id-{number}" for number in range(rows)]


def test_a_full_queue_drops_and_never_waits(capture, sink):
    sink.gate.clear()
    keeper = capture(queue_rows=10)
    for _ in range(5):
        keeper.add_predictions(0, ids(4), batch(4))
    assert keeper.counts().dropped == 8  # 12 wait: a request is taken whole
    keeper.add_labels(0, ["a"], ["1"])  # labels have a queue of their own
    sink.gate.set()
    keeper.close(PATIENCE)
    assert keeper.counts() == CaptureCounts(written=13, dropped=8)


def test_a_half_full_queue_is_written_early(capture, sink):
    keeper = capture(queue_rows=10)
    keeper.add_predictions(0, ids(5), batch(5))
    wait_until(lambda: keeper.counts().written == 5)


def test_a_failed_file_is_retried_with_the_same_name(capture, sink):
    sink.failures = 2
    keeper = capture()
    keeper.add_predictions(0, ids(1), batch(1))
    keeper.close(PATIENCE)
    assert keeper.counts() == CaptureCounts(written=1)
    assert len(sink.attempts) == 3
    assert set(sink.attempts) == set(sink.files)


def test_a_file_that_fails_every_retry_is_dropped_and_the_next_one_clears_the_problem(
    capture, sink
):
    sink.failures = 3
    keeper = capture()
    keeper.add_predictions(0, ids(2), batch(2))
    keeper.flush()
    wait_until(lambda: keeper.counts().dropped)
    assert keeper.counts() == CaptureCounts(dropped=2, problem="s3://captured: the store is down")
    keeper.add_predictions(0, ids(1), batch(1))
    keeper.close(PATIENCE)
    assert keeper.counts() == CaptureCounts(written=1, dropped=2)


def test_each_day_has_its_own_file(capture, sink):
    keeper = capture()
    for moment in (0, DAY - 1, DAY):
        keeper.add_predictions(moment, ids(1), batch(1))
    keeper.close(PATIENCE)
    assert sorted(sink.files) == [
        "predictions/model=m/version=000000000000/date=1970-01-01/me-000001.parquet",
        "predictions/model=m/version=000000000000/date=1970-01-02/me-000002.parquet",
    ]


def test_closing_takes_at_most_the_given_time(capture, sink):
    sink.gate.clear()
    keeper = capture()
    keeper.add_predictions(0, ids(1), batch(1))
    begun = time.monotonic()
    keeper.close(0.1)
    assert time.monotonic() - begun < 10
    assert keeper.counts().written == 0


def test_only_the_sampled_rows_of_a_batch_are_kept(capture, sink, tmp_path):
    keeper = capture(permille=300)
    made = IdMaker("m", "0" * 12).make(0, [(0, 50)] * 500)
    amounts = np.arange(500, dtype=np.float32).reshape(-1, 1)
    keeper.add_predictions(0, made, batch(500)._replace(features={"amount": amounts}))
    keeper.close(PATIENCE)
    (data,) = sink.files.values()
    path = tmp_path / "x.parquet"
    path.write_bytes(data)
    rows = duckdb.sql(f"SELECT _prediction_id, amount FROM '{path}'").fetchall()
    assert 0 < len(rows) < 500
    assert all(made[int(amount)] == text for text, amount in rows)


def test_bare_values_and_arrays_of_several_requests_share_a_file(tmp_path):
    features = [TensorSpec("amount", "FP32", (-1, 1)), TensorSpec("carrier", "BYTES", (-1,))]
    maker = IdMaker("m", "0" * 12)
    columns = {"amount": np.float32([[0.5], [np.nan]]), "carrier": np.array(["AA", ""], object)}
    one, two = batch(1), batch(2)
    parts = [
        CapturedPredictions(5, maker.reserve(2), two._replace(features=columns), None),
        CapturedPredictions(6, maker.reserve(1), one._replace(features={}, row=(0.25, "BB")), None),
        CapturedPredictions(7, ["c"], one._replace(features={}, row=(float("nan"), "")), None),
    ]
    path = tmp_path / "x.parquet"
    path.write_bytes(predictions_file(features, CLASSES, parts, maker))
    columns = "epoch_ms(_time), amount, carrier, _score, _prediction_id"
    query = f"SELECT {columns} FROM '{path}' ORDER BY 1, 3 NULLS LAST"
    rows = duckdb.sql(query).fetchall()
    assert [row[:4] for row in rows] == [
        (5, 0.5, "AA", 0.25),
        (5, None, None, 0.25),
        (6, 0.25, "BB", 0.25),
        (7, None, None, 0.25),
    ]
    assert rows[3][4] == "c"
    ids_ = [maker.read(row[4]) for row in rows[:3]]
    assert [(each.time, each.class_index, each.score_bin) for each in ids_] == [
        (moment, 0, score_bin(0.25)) for moment in (5, 5, 6)
    ]
    assert len({each.key for each in ids_}) == 3


def test_every_type_keeps_its_type(tmp_path):
    features = [TensorSpec(kind, kind, (-1,)) for kind in DTYPES]
    values = {
        kind: np.array(["", "ü"], object) if kind == "BYTES" else np.array([0, 1], dtype)
        for kind, dtype in DTYPES.items()
    }
    values["FP64"][1] = values["FP16"][1] = np.nan
    part = CapturedPredictions(0, ["a", "b"], Batch(2, values, None, None), None)
    path = tmp_path / "all.parquet"
    path.write_bytes(predictions_file(features, None, [part]))
    described = duckdb.sql(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
    assert {name: kind for name, kind, *_ in described} == {
        "_prediction_id": "VARCHAR",
        "_time": "TIMESTAMP WITH TIME ZONE",
        "_label": "VARCHAR",
        "_score": "DOUBLE",
        "BOOL": "BOOLEAN",
        "UINT8": "UTINYINT",
        "UINT16": "USMALLINT",
        "UINT32": "UINTEGER",
        "UINT64": "UBIGINT",
        "INT8": "TINYINT",
        "INT16": "SMALLINT",
        "INT32": "INTEGER",
        "INT64": "BIGINT",
        "FP16": "FLOAT",
        "FP32": "FLOAT",
        "FP64": "DOUBLE",
        "BYTES": "VARCHAR",
    }
    query = f"SELECT BYTES, FP64, FP16, INT64, _label FROM '{path}'"
    assert duckdb.sql(query).fetchall() == [(None, 0.0, 0.0, 0, None), ("ü", None, None, 1, None)]

"""Perennial's /predict, /feedback, /counters and /profile, with a real server."""

import http.client
import json
import random
import threading

import pytest
from onnx import TensorProto

from perennial_contracts.wire.counters import Counters
from perennial_runtime.protocol.perennial.prediction_id import IdMaker

MODEL = "/v2/models/flights"
ROW = {"amount": 2.0, "carrier": "AA", "seats": 150, "weekend": False}


@pytest.fixture(scope="module")
def directory(flights, tmp_path_factory):
    path = tmp_path_factory.mktemp("flights")
    for name, data in flights().items():
        (path / name).write_bytes(data)
    return path


@pytest.fixture(scope="module")
def server(start, directory):
    return start(directory, "--name", "flights")


@pytest.fixture
def fresh(start, directory):
    """Return a function that starts a server with empty counters."""
    return lambda *arguments: start(directory, "--name", "flights", *arguments)


def predict(server, *rows, model=MODEL):
    status, body, _ = server.request("POST", f"{model}/predict", {"instances": list(rows)})
    assert status == 200, body
    return body["predictions"]


def refused(server, *rows, model=MODEL):
    status, body, _ = server.request("POST", f"{model}/predict", {"instances": list(rows)})
    assert status == 400, body
    return body["error"]


def feed_back(server, *labels, model=MODEL):
    entries = [{"prediction_id": text, "label": label} for text, label in labels]
    status, body, _ = server.request("POST", f"{model}/feedback", {"feedback": entries})
    return status, body


def counters(server, model=MODEL) -> Counters:
    status, body, _ = server.request("GET", f"{model}/counters")
    assert status == 200
    return Counters.model_validate(body)


def infer_body(rows, **more):
    columns = {
        "amount": ("FP32", [len(rows), 1]),
        "carrier": ("BYTES", [len(rows), 1]),
        "seats": ("INT64", [len(rows), 1]),
        "weekend": ("BOOL", [len(rows)]),
    }
    missing = {"carrier": ""}
    return {
        "inputs": [
            {
                "name": name,
                "datatype": datatype,
                "shape": shape,
                "data": [row.get(name, missing.get(name)) for row in rows],
            }
            for name, (datatype, shape) in columns.items()
        ],
        **more,
    }


def some_rows(count, seed=1):
    """Return rows, some of them without a value."""
    chance = random.Random(seed)
    rows = []
    for _ in range(count):
        row = {"seats": chance.randrange(300), "weekend": chance.random() < 0.3}
        if chance.random() < 0.9:
            row["amount"] = round(chance.gauss(0, 2), 3)
        if chance.random() < 0.9:
            row["carrier"] = chance.choice(["AA", "BB", "CC"])
        rows.append(row)
    return rows


def test_each_row_gets_an_id_a_label_and_probabilities(server):
    status, body, _ = server.request(
        "POST", f"{MODEL}/predict", {"instances": [ROW, {**ROW, "amount": -9.0}]}
    )
    assert status == 200
    assert body["model_name"] == "flights"
    assert server.request("GET", MODEL)[1]["versions"] == [body["model_version"]]
    late, early = body["predictions"]
    assert set(late) == {"prediction_id", "label", "probabilities"}
    assert (late["label"], early["label"]) == (1, 0)
    assert late["probabilities"]["1"] == pytest.approx(0.9526, abs=1e-4)
    assert sum(early["probabilities"].values()) == pytest.approx(1)
    assert late["prediction_id"] != early["prediction_id"]
    version = f"{MODEL}/versions/{body['model_version']}"
    assert predict(server, ROW, model=version)[0]["label"] == 1


def test_string_labels_stay_strings(start, flights, write_files):
    server = start(write_files(flights(classes=["no", "yes"])), "--name", "flights")
    (prediction,) = predict(server, ROW)
    assert prediction["label"] == "yes"
    assert set(prediction["probabilities"]) == {"no", "yes"}
    assert feed_back(server, (prediction["prediction_id"], "no"))[0] == 200
    assert counters(server).matrix == [[0, 0], [1, 0]]
    assert counters(server).label == [0, 1, 0, 0]


def test_a_class_index_is_returned_and_counted_as_the_class_name(start, flights, write_files):
    names = {"labels": ["early", "late"], "positive": "late"}
    label = {"name": "label", "categories": ["early", "late"], "counts": [1, 1, 0, 0]}
    profile = {"label": label, "positive": "late"}
    server = start(write_files(flights(profile=profile, **names)), "--name", "flights")
    (prediction,) = predict(server, ROW)
    assert prediction["label"] == "late"
    assert feed_back(server, (prediction["prediction_id"], "late"))[1]["accepted"] == 1
    assert counters(server).label == [0, 1, 0, 0]
    assert counters(server).matrix == [[0, 0], [0, 1]]


def test_a_whole_number_may_be_written_with_a_point(server):
    (expected,) = predict(server, {**ROW, "seats": 150})
    (found,) = predict(server, {**ROW, "seats": 150.0})
    assert found["probabilities"] == expected["probabilities"]
    # The JSON reader rounds it to the least number that would fit.
    message = refused(server, {**ROW, "seats": -(2**63) - 1})
    assert message == "row 0: feature 'seats': expected a whole number, got -9.223372036854776e+18"


def test_a_missing_value_is_null_or_left_out(server):
    without = {key: ROW[key] for key in ("seats", "weekend")}
    answers = predict(server, without, {**ROW, "amount": None, "carrier": None})
    assert [answer["label"] for answer in answers] == [0, 0]
    assert answers[0]["probabilities"]["1"] == 0.5


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {**ROW, "amuont": 1},
            "row 1: expected features 'amount', 'carrier', 'seats', 'weekend', got 'amuont'. "
            "Did you mean 'amount'?",
        ),
        ({**ROW, "amount": "2"}, "row 1: feature 'amount': expected a number, got \"2\""),
        ({**ROW, "amount": True}, "row 1: feature 'amount': expected a number, got true"),
        ({**ROW, "amount": 1e300}, "expected a number within FP32's range, got 1e+300"),
        ({**ROW, "amount": 10**30}, None),
        ({**ROW, "carrier": 7}, "row 1: feature 'carrier': expected a string, got 7"),
        ({**ROW, "seats": 1.5}, "row 1: feature 'seats': expected a whole number, got 1.5"),
        ({**ROW, "seats": 2**63}, "expected a whole number within INT64's range"),
        (
            {**ROW, "seats": None},
            "row 1: feature 'seats': expected a whole number, got nothing. INT64 inputs have no "
            "missing values. Fix: send a value, or train the model with a float input",
        ),
        ({**ROW, "weekend": 1}, "row 1: feature 'weekend': expected a boolean, got 1"),
        ([1.0], "row 1: expected an object, got [1.0]"),
    ],
)
def test_an_invalid_value_is_reported_with_its_row(server, row, message):
    if message is None:
        assert predict(server, ROW, row)[1]["label"] == 1
    else:
        assert message in refused(server, ROW, row)


@pytest.mark.parametrize("body", [{}, {"instances": []}, {"instances": 1}, [], b"{"])
def test_a_body_without_rows_reports_the_expected_form(server, body):
    status, answer, _ = server.request("POST", f"{MODEL}/predict", body)
    assert status == 400
    assert "expected" in answer["error"]


def test_a_model_of_tensors_points_to_infer(start, affine, tmp_path):
    (tmp_path / "double.onnx").write_bytes(affine)
    server = start(tmp_path / "double.onnx")
    message = refused(server, {"X": 1}, model="/v2/models/double")
    assert "expected inputs of shape [-1, 1] or [-1]" in message
    assert "Fix: send tensors to /infer" in message
    body = {"inputs": [{"name": "X", "datatype": "FP32", "shape": [3, 2], "data": [0.0] * 6}]}
    assert server.request("POST", "/v2/models/double/infer", body)[0] == 200
    assert counters(server, "/v2/models/double").rows == 3
    assert "predict" not in server.request("GET", "/v2/models/double")[1]["properties"]


def test_a_model_that_is_no_classifier_returns_its_outputs(start, identity, tmp_path):
    model = identity(x=(TensorProto.FLOAT, ["N", 1]), y=(TensorProto.STRING, ["N"]))
    (tmp_path / "same.onnx").write_bytes(model)
    server = start(tmp_path / "same.onnx")
    (answer,) = predict(server, {"x": 1.5, "y": "a"}, model="/v2/models/same")
    assert answer["outputs"] == {"x_out": 1.5, "y_out": "a"}
    label = (answer["prediction_id"], 3.5)
    assert feed_back(server, label, model="/v2/models/same")[1]["accepted"] == 1
    found = counters(server, "/v2/models/same")
    assert (found.rows, found.labels, found.matrix, found.label) == (1, 1, [], None)


def test_an_output_without_a_row_for_each_instance_points_to_infer(start, tmp_path):
    from onnx import helper

    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0)],
        "g",
        [info("x", TensorProto.FLOAT, ["N", 1])],
        [info("y", TensorProto.FLOAT, [])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "sum.onnx").write_bytes(model.SerializeToString())
    server = start(tmp_path / "sum.onnx")
    assert "Fix: use /infer" in refused(server, {"x": 1}, {"x": 2}, model="/v2/models/sum")


def test_metadata_contain_predict_and_the_labels(server):
    properties = server.request("GET", MODEL)[1]["properties"]
    assert properties["predict"] == "true"
    assert json.loads(properties["labels"]) == ["0", "1"]


def test_the_profile_has_the_bytes_of_the_bundle(server, directory, start, flights, tmp_path):
    status, body, _ = server.request("GET", f"{MODEL}/profile")
    assert status == 200
    assert body == json.loads((directory / "profile.json").read_bytes())
    for name, data in flights(profile=None).items():
        (tmp_path / name).write_bytes(data)
    bare = start(tmp_path, "--name", "flights")
    status, body, _ = bare.request("GET", f"{MODEL}/profile")
    assert status == 404
    assert "has no profile.json" in body["error"]
    predict(bare, ROW)
    found = counters(bare)
    assert (found.rows, found.features, found.label) == (1, {}, None)


def test_infer_and_predict_give_the_same_counters(fresh):
    rows = some_rows(300)
    by_rows, by_tensors, by_part = fresh(), fresh(), fresh()
    for first in range(0, 300, 7):
        predict(by_rows, *rows[first : first + 7])
    for server, more in ((by_tensors, {}), (by_part, {"outputs": [{"name": "label"}]})):
        status, body, _ = server.request("POST", f"{MODEL}/infer", infer_body(rows, **more))
        assert status == 200, body
        assert len(body["outputs"]) == (1 if more else 2)
    found = counters(by_rows)
    assert found.rows == 300
    assert all(sum(counts) == 300 for counts in found.features.values())
    for server in (by_tensors, by_part):
        other = counters(server)
        assert other.instance != found.instance
        assert other.model_copy(update={"instance": found.instance}) == found


def test_the_counts_of_two_processes_add_up(fresh):
    rows = some_rows(900, seed=2)
    whole, first, second = fresh(), fresh(), fresh()
    predict(whole, *rows)
    for row in rows[:50]:
        predict(first, row)
    predict(first, *rows[50:400])
    predict(second, *rows[400:])
    all_of, one, other = counters(whole), counters(first), counters(second)
    assert one.rows + other.rows == all_of.rows == 900
    for name, counts in all_of.features.items():
        pairs = zip(one.features[name], other.features[name], strict=True)
        assert [a + b for a, b in pairs] == counts
    assert [a + b for a, b in zip(one.score, other.score, strict=True)] == all_of.score
    assert [a + b for a, b in zip(one.label, other.label, strict=True)] == all_of.label


def test_nothing_is_lost_between_connections(fresh):
    server = fresh("--threads", "2")
    large = json.dumps({"instances": some_rows(1000)})  # worked on in a thread
    small = json.dumps({"instances": [ROW]})

    def ask(body, times):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for _ in range(times):
            connection.request("POST", f"{MODEL}/predict", body)
            assert connection.getresponse().read().startswith(b'{"model_name"')
        connection.close()

    jobs = [(large, 10), (large, 10), (small, 300), (small, 300)]
    threads = [threading.Thread(target=ask, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = counters(server)
    assert found.rows == 20_600
    assert all(sum(counts) == 20_600 for counts in found.features.values())
    assert sum(found.score) == sum(found.label) == 20_600


def test_metrics_contain_the_counters(fresh):
    server = fresh()
    predict(server, ROW)
    text = server.request("GET", "/metrics")[1].splitlines()
    assert "perennial_runtime_rows_total 1.0" in text
    line = 'perennial_runtime_feature_values_total{bin=">=0.1",feature="amount"} 1.0'
    assert line in text
    assert 'perennial_runtime_labels_total{label="1"} 1.0' in text
    assert 'perennial_runtime_requests_total{code="200",protocol="v2",route="predict"} 1.0' in text


def test_labels_are_counted_by_any_replica(fresh):
    first, second = fresh(), fresh()
    late, early = predict(first, ROW, {**ROW, "amount": -9.0})
    labels = [(late["prediction_id"], "1"), (early["prediction_id"], 1.0)]
    assert feed_back(second, *labels) == (200, {"accepted": 2, "rejected": []})
    found = counters(second)
    assert (found.rows, found.labels, found.matrix) == (0, 2, [[0, 1], [0, 1]])
    assert sum(found.scores[0]) == 0
    assert sum(found.scores[1][:100]) == sum(found.scores[1][100:]) == 1
    assert counters(first).labels == 0
    text = second.request("GET", "/metrics")[1]
    assert 'perennial_runtime_feedback_total{label="1",predicted="0"} 1.0' in text


def test_an_invalid_label_is_reported_and_the_others_count(fresh):
    server = fresh()
    (prediction,) = predict(server, ROW)
    text = prediction["prediction_id"]
    stranger = IdMaker("shop", "0" * 12).make(0, [(0, 0)])[0]
    cases = [
        (text, 1, None),
        (text, "x", 'label: expected one of 0, 1, got "x"'),
        (text, 0.5, "label: expected one of 0, 1, got 0.5"),
        (text, None, "label: expected one of 0, 1, got nothing"),
        (text, [1], "label: expected one of 0, 1, got [1]"),
        ("no id", 1, "prediction_id: expected one that the model 'flights' has returned"),
        (stranger, 1, "prediction_id: expected one that the model 'flights' has returned"),
        (7, 1, "prediction_id: expected the one in the response of /v2/models/flights/predict"),
    ]
    status, body = feed_back(server, *((text, label) for text, label, _ in cases))
    assert status == 200
    assert body["accepted"] == 1
    assert [rejected["index"] for rejected in body["rejected"]] == list(range(1, len(cases)))
    for (text, _, message), rejected in zip(cases[1:], body["rejected"], strict=True):
        assert rejected["prediction_id"] == text
        assert message in rejected["error"]
    assert counters(server).labels == 1


def test_only_invalid_labels_are_a_bad_request(server):
    status, body = feed_back(server, ("no id", 1))
    assert status == 400
    assert (body["accepted"], len(body["rejected"])) == (0, 1)
    assert "no label was accepted" in body["error"]
    for nothing in ({}, {"feedback": []}, [1], b"{"):
        status, body, _ = server.request("POST", f"{MODEL}/feedback", nothing)
        assert status == 400
        assert "expected" in body["error"]


def test_a_label_of_another_version_is_accepted_but_not_counted(fresh):
    server = fresh()
    (other,) = IdMaker("flights", "0" * 12).make(0, [(1, 150)])
    assert feed_back(server, (other, "a class of its own"))[1]["accepted"] == 1
    assert counters(server).labels == 0


def test_one_request_may_have_many_labels(fresh):
    server = fresh()
    ids = [it["prediction_id"] for it in predict(server, *some_rows(5000, seed=3))]
    labels = [(text, 1) for text in ids]
    assert feed_back(server, *labels)[1]["accepted"] == 5000
    assert feed_back(server, *labels)[1]["accepted"] == 5000  # again: counted once
    found = counters(server)
    assert found.labels == sum(map(sum, found.matrix)) == 5000
    assert [row[1] for row in found.matrix] == found.label[:2]

import json

import numpy as np
import pytest
from support.runtime import servers, without_settings

from flights_demo import protocol

MODEL = "/v2/models/delays"


@pytest.fixture(scope="module")
def server(made, tmp_path_factory):
    """Runtime with the loaded model."""
    folder = tmp_path_factory.mktemp("bundle")
    for name, content in made.files.items():
        (folder / name).write_bytes(content)
    with servers(without_settings()) as start:
        yield start(folder, "--name", "delays")


def asked(server, verb, body):
    status, answer, _ = server.request("POST", f"{MODEL}/{verb}", body)
    assert status == 200, answer
    return json.dumps(answer).encode()


def labels(server):
    return server.request("GET", f"{MODEL}/counters")[1]["labels"]


def test_the_runtime_predicts_flights_as_the_trained_model_does(server, made, rows):
    # Some of these have no reading of the weather, and some fly where no flight went before.
    sample = rows[::50]
    assert sample.features["temp"].isna().any()
    answers = [
        protocol.decode(asked(server, "predict", body)) for body in protocol.batches(sample, 640)
    ]
    said = np.concatenate([answer.probability for answer in answers])
    expected = made.pipeline.predict_proba(sample.features)[:, 1]
    np.testing.assert_allclose(said, expected, atol=1e-5)
    (version,) = server.request("GET", MODEL)[1]["versions"]
    assert {answer.version for answer in answers} == {version}


def test_the_runtime_counts_the_labels_that_are_sent(server, rows):
    sample = rows.month(9)[:100]
    before = labels(server)
    answer = protocol.decode(asked(server, "predict", protocol.encode(sample)))
    asked(server, "feedback", protocol.encode_labels(answer.ids, sample.late.tolist()))
    assert labels(server) - before == 100


def test_requests_hold_all_rows_in_order(rows):
    bodies = protocol.batches(rows[:130], 64)
    sent = [row for body in bodies for row in json.loads(body)["instances"]]
    assert [len(json.loads(body)["instances"]) for body in bodies] == [64, 64, 2]
    assert [row["dest"] for row in sent] == rows[:130].features["dest"].tolist()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"predictions": []}', b'{"model_version": "a", "predictions": [{}]}']
)
def test_a_response_without_a_prediction_is_an_error(body):
    with pytest.raises(ValueError):
        protocol.decode(body)

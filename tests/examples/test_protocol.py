import json

import numpy as np
import pytest

from flights_demo import protocol
from perennial_runtime.load import load_service
from perennial_runtime.settings import parse


@pytest.fixture(scope="module")
def service(made, tmp_path_factory):
    """The runtime's own, with the model loaded."""
    folder = tmp_path_factory.mktemp("bundle")
    for name, content in made.files.items():
        (folder / name).write_bytes(content)
    arguments = ["serve", str(folder), "--name", "delays", "--cache-dir", str(folder / "cache")]
    return load_service(parse(arguments, {}))


def test_the_runtime_takes_flights_and_says_what_the_trained_model_says(service, made, rows):
    # Some of these have no reading of the weather, and some fly where no flight went before.
    sample = rows[::50]
    assert sample.features["temp"].isna().any()
    answers = [protocol.decode(service.predict(b)) for b in protocol.batches(sample, 640)]
    said = np.concatenate([answer.probability for answer in answers])
    expected = made.pipeline.predict_proba(sample.features)[:, 1]
    np.testing.assert_allclose(said, expected, atol=1e-5)
    assert {answer.version for answer in answers} == {service.model.version}


def test_the_runtime_counts_the_truth_that_is_sent_back(service, rows):
    sample = rows.month(9)[:100]
    before = service.monitor.counters().labels
    answer = protocol.decode(service.predict(protocol.encode(sample)))
    service.feedback(protocol.encode_truth(answer.ids, sample.late.tolist()))
    assert service.monitor.counters().labels - before == 100


def test_requests_hold_all_rows_in_order(rows):
    bodies = protocol.batches(rows[:130], 64)
    sent = [row for body in bodies for row in json.loads(body)["instances"]]
    assert [len(json.loads(body)["instances"]) for body in bodies] == [64, 64, 2]
    assert [row["dest"] for row in sent] == rows[:130].features["dest"].tolist()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"predictions": []}', b'{"model_version": "a", "predictions": [{}]}']
)
def test_an_answer_that_is_no_prediction_is_an_error(body):
    with pytest.raises(ValueError):
        protocol.decode(body)

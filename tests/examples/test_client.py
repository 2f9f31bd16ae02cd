import json

import pytest
from support.scripted import response, serving

from flights_demo.client import Connection
from flights_demo.reach import Endpoint
from flights_demo.traffic import Traffic

PREDICTION = json.dumps(
    {
        "model_name": "delays",
        "model_version": "abc",
        "predictions": [
            {"prediction_id": "p1", "label": 1, "probabilities": {"0": 0.25, "1": 0.75}}
        ],
    }
).encode()


def answer(status=200, body=PREDICTION, close=False):
    return response(status, body, close)


def endpoint(server):
    return Endpoint("127.0.0.1", server.port)


def send(server, count, connections=1):
    """Send requests, and return the report and the predictions by number."""
    found = {}
    bodies = [(number, b"%d" % number) for number in range(count)]
    with Traffic(
        endpoint(server),
        "/infer",
        bodies,
        connections=connections,
        on_answer=lambda number, prediction: found.update({number: prediction}),
    ) as traffic:
        pass
    return traffic.report, found


def test_one_connection_carries_all_requests_while_the_server_keeps_it():
    with serving([answer()] * 3) as server:
        report, found = send(server, 3)
    assert server.requests == [(0, b"0"), (0, b"1"), (0, b"2")]
    assert (report.sent, report.retried, report.failures) == (3, 0, [])
    assert report.served["abc"].count == 3
    assert found[2].probability.tolist() == [0.75]


def test_connection_close_is_honoured_and_is_no_failure():
    # The first connection would answer once more: a client that goes on using it is found out.
    with serving([answer(close=True), answer(500)], [answer(), answer()]) as server:
        report, _ = send(server, 3)
    assert server.requests == [(0, b"0"), (1, b"1"), (1, b"2")]
    assert (report.sent, report.retried, report.failures) == (3, 0, [])


def test_a_connection_that_the_server_closed_while_idle_is_not_reused():
    with serving([answer(), "close"], [answer()]) as server:
        connection = Connection(endpoint(server))
        connection.post("/infer", b"0")
        server.threads[0].join()
        assert not connection.post("/infer", b"1").retried
        connection.close()
    assert server.requests == [(0, b"0"), (1, b"1")]


def test_a_used_connection_that_ends_without_a_byte_of_answer_is_retried_once_and_counted():
    with serving([answer(), None], [answer()]) as server:
        report, found = send(server, 2)
    assert server.requests == [(0, b"0"), (0, b"1"), (1, b"1")]
    assert (report.sent, report.retried, report.failures) == (2, 1, [])
    assert len(found) == 2


def test_a_retry_that_gets_no_answer_either_is_a_failure():
    with serving([answer(), None], [None]) as server:
        report, _ = send(server, 2)
    assert (report.sent, len(report.failures)) == (2, 1)
    assert "without an answer" in report.failures[0]


def test_a_new_connection_that_ends_without_an_answer_is_a_failure_and_not_retried():
    with serving([None], [answer()]) as server:
        report, _ = send(server, 1)
    assert server.requests == [(0, b"0")]
    assert (report.retried, len(report.failures)) == (0, 1)


def test_an_incomplete_response_is_a_failure_and_not_retried():
    cut = answer()[:-5]
    with serving([answer(), cut, "close"], [answer()]) as server:
        report, _ = send(server, 3)
    assert server.requests == [(0, b"0"), (0, b"1"), (1, b"2")]
    assert (report.sent, report.retried, len(report.failures)) == (3, 0, 1)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (answer(503, b'{"error": "still loading"}'), "answered 503: "),
        (answer(200, b"not JSON"), "JSONDecodeError"),
        (answer(200, b"{}"), "not a response of the model"),
    ],
)
def test_any_response_other_than_a_prediction_is_a_failure(bad, said):
    with serving([answer(), bad, "close"], [answer()]) as server:
        report, found = send(server, 3)
    assert (report.sent, sorted(found)) == (3, [0, 2])
    assert said in report.failures[0]


def test_a_missing_server_is_a_failure_for_each_request():
    with serving() as server:
        pass
    report, _ = send(server, 2)
    assert (report.sent, len(report.failures)) == (2, 2)


def test_several_connections_share_the_requests_and_each_is_sent_once():
    with serving(*[[answer()] * 40] * 4) as server:
        report, found = send(server, 40, connections=4)
    assert sorted(int(body) for _, body in server.requests) == list(range(40)) == sorted(found)
    assert (report.sent, report.failures) == (40, [])


def test_traffic_ends_on_stop_and_loses_nothing():
    endless = ((number, b"x") for number in range(10**9))
    with serving([answer()] * 10_000) as server:
        with Traffic(endpoint(server), "/", endless, connections=1) as traffic:
            while not traffic.report.served:
                pass
            traffic.stop()
        assert traffic.report.sent == traffic.report.served["abc"].count == len(server.requests)

import json

import pytest
from support.scripted import response, serving

from flights_demo.outcomes import Outcomes
from flights_demo.reach import Endpoint


def sent(server):
    """Return the labels that were sent, by prediction."""
    pairs = [each for _, body in server.requests for each in json.loads(body)["feedback"]]
    assert len({pair["prediction_id"] for pair in pairs}) == len(pairs)
    return {pair["prediction_id"]: pair["label"] for pair in pairs}


def outcomes_for(server, delay):
    return Outcomes(Endpoint("127.0.0.1", server.port), "delays", delay)


def test_due_labels_are_sent_in_order_and_the_rest_at_the_end():
    with serving([response()] * 10) as server:
        with outcomes_for(server, 0.1) as soon:
            soon.add(["a", "b"], [0, 1])
            while not soon.sent:
                pass
            assert sent(server) == {"a": 0, "b": 1}
            soon.add(["c"], [1])
        assert (soon.sent, soon.failures) == (3, [])
    assert sent(server) == {"a": 0, "b": 1, "c": 1}


def test_labels_are_not_sent_before_they_are_due():
    with serving([response()] * 10) as server:
        with outcomes_for(server, 3600.0) as late:
            for number in range(5):
                late.add([str(number)], [1])
        # The end of the block is the only time at which it was sent.
        assert len(server.requests) == 1
    assert sorted(sent(server)) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("bad", [response(500, b"broken"), None])
def test_rejected_feedback_is_a_failure(bad):
    with serving([bad], [bad]) as server, outcomes_for(server, 3600.0) as outcomes:
        outcomes.add(["a"], [1])
    assert len(outcomes.failures) == 1

"""Clients that count lost requests must count every lost request, and no other."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from benchmarks.serving import drain
from benchmarks.serving.check import NotServedError, compare
from benchmarks.serving.payload import Payload

ANSWER = json.dumps({"outputs": [{"name": "y", "shape": [1], "data": [2.0]}]}).encode()
PAYLOAD = Payload(b"{}", {"Content-Type": "application/json"}, {"y": np.array([2.0])})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    behave: Callable[["Handler", int], None]
    count = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).count += 1
        self.behave(type(self).count)

    def answer(self, body: bytes = ANSWER, status: int = 200, close: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if close:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def server(behave: Callable[[Handler, int], None]) -> Iterator[int]:
    """Serve during the block, and yield the port."""
    handler = type("OneHandler", (Handler,), {"behave": behave})
    made = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()

    try:
        yield made.server_address[1]
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


def test_responses_that_request_a_new_connection_lose_nothing() -> None:
    def behave(handler: Handler, number: int) -> None:
        handler.answer(close=number % 3 == 0)

    with server(behave) as port, drain.http_clients(port, PAYLOAD, 2) as tally:
        drain.until(tally, 50, 30)
    assert tally.lost == []
    assert tally.reconnected >= 10
    assert tally.refused == 0


def test_clients_end_without_a_server_and_lose_nothing() -> None:
    with server(lambda handler, number: handler.answer()) as port:
        pass
    with drain.http_clients(port, PAYLOAD, 3) as tally:
        end = time.monotonic() + 30
        while tally.refused < 3:
            assert time.monotonic() < end
    assert tally == drain.Tally(refused=3)


@pytest.mark.parametrize(
    ("behave", "said"),
    [
        (lambda handler, number: handler.connection.close(), "RemoteDisconnected"),
        (lambda handler, number: handler.answer(b"no", status=503), "503: no"),
        (
            lambda handler, number: handler.answer(ANSWER.replace(b"2.0", b"3.0")),
            "y has other values",
        ),
        (lambda handler, number: handler.answer(b"junk"), "JSONDecodeError"),
    ],
)
def test_every_other_end_of_a_request_is_a_loss(
    behave: Callable[[Handler, int], None], said: str
) -> None:
    def once(handler: Handler, number: int) -> None:
        if number == 3:
            behave(handler, number)
            handler.close_connection = True
        else:
            handler.answer()

    with server(once) as port, drain.http_clients(port, PAYLOAD, 1) as tally:
        drain.until(tally, 10, 30)
    assert len(tally.lost) == 1, tally.lost
    assert said in tally.lost[0]


def test_an_answer_must_have_the_shape_and_the_values_of_the_model() -> None:
    expected = {"label": np.array([1, 0]), "p": np.array([[0.25, 0.75], [0.5, 0.5]])}
    compare(expected, expected)
    compare(expected, expected | {"label": np.array([[1], [0]])})  # MLServer's columns
    for wrong, said in (
        ({"p": expected["p"]}, "no output label"),
        (expected | {"label": np.array([1])}, r"label of shape \(1,\), expected \(2,\)"),
        (expected | {"label": np.array([1, 1])}, "label has other values"),
        (expected | {"p": np.zeros((2, 2))}, "p has other values"),
    ):
        with pytest.raises(NotServedError, match=said):
            compare(expected, wrong)

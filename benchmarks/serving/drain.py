"""Clients that count the result of every request while their server shuts down."""

import contextlib
import http.client
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import grpc

from .check import NotServedError, compare, read_grpc, read_json
from .payload import Payload
from .works import GRPC_PATH, HTTP_PATH

TIMEOUT = 30.0
CHANNEL_OPTIONS = (("grpc.use_local_subchannel_pool", 1),)
"""Options for a connection of its own for each client."""


@dataclass
class Tally:
    """Results of the requests of all clients."""

    answered: int = 0
    reconnected: int = 0
    """Connections that were reopened at the request of the server."""
    refused: int = 0
    """Clients that could not connect any more; they had no request in flight."""
    lost: list[str] = field(default_factory=list)
    """Failures of requests that were sent and not answered correctly."""


@contextlib.contextmanager
def http_clients(port: int, payload: Payload, count: int) -> Iterator[Tally]:
    """Run clients with keep-alive connections during the block.

    Each sends one JSON request after the other, opens a new connection after a response with
    ``connection: close``, and ends when a new one is refused. Nothing is retried.
    """
    tally = Tally()
    lock = threading.Lock()

    def work(ended: threading.Event) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        connected = False
        while not ended.is_set():
            if not connected:
                try:
                    connection.connect()
                except ConnectionRefusedError:
                    with lock:
                        tally.refused += 1
                    return
            try:
                connected = _send(connection, payload)
            except (OSError, http.client.HTTPException, NotServedError, ValueError) as error:
                connection.close()
                connected = False
                with lock:
                    tally.lost.append(f"{type(error).__name__}: {error}")
            else:
                with lock:
                    tally.answered += 1
                    tally.reconnected += not connected
        connection.close()

    with _threads(work, count):
        yield tally


@contextlib.contextmanager
def grpc_clients(port: int, payload: Payload, count: int) -> Iterator[Tally]:
    """Run clients with a channel each during the block.

    After GOAWAY, gRPC itself opens a new connection; a client ends when that is refused. By
    default, the library repeats requests that the server did not begin (or that never left the
    client) on a new connection, and retries nothing else.
    """
    tally = Tally()
    lock = threading.Lock()

    def work(ended: threading.Event) -> None:
        with grpc.insecure_channel(f"127.0.0.1:{port}", CHANNEL_OPTIONS) as channel:
            call = channel.unary_unary(GRPC_PATH)
            while not ended.is_set():
                try:
                    compare(payload.expected, read_grpc(call(payload.body, timeout=TIMEOUT)))
                except grpc.RpcError as error:
                    with lock:
                        if "refused" in (error.details() or ""):
                            tally.refused += 1
                            return
                        tally.lost.append(f"{error.code().name}: {error.details()}")
                except NotServedError as error:
                    with lock:
                        tally.lost.append(str(error))
                else:
                    with lock:
                        tally.answered += 1

    with _threads(work, count):
        yield tally


@contextlib.contextmanager
def _threads(work: Callable[[threading.Event], None], count: int) -> Iterator[None]:
    ended = threading.Event()
    threads = [threading.Thread(target=work, args=(ended,)) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _send(connection: http.client.HTTPConnection, payload: Payload) -> bool:
    """Send a request; return whether the connection can be reused."""
    connection.request("POST", HTTP_PATH, payload.body, payload.headers)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise NotServedError(f"{response.status}: {body[:200].decode(errors='replace')}")
    compare(payload.expected, read_json(body))
    if response.will_close:
        connection.close()
    return not response.will_close


def until(tally: Tally, answered: int, seconds: float) -> None:
    """Wait for a number of responses.

    Raises:
        TimeoutError: they did not arrive in time.
    """
    end = time.monotonic() + seconds
    while tally.answered < answered:
        if time.monotonic() > end:
            raise TimeoutError(f"{tally.answered} of {answered} answers in {seconds:.0f} s")
        time.sleep(0.01)

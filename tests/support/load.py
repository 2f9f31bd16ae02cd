"""Steady load on a model by clients with keep-alive; every failure counts."""

import contextlib
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Load:
    """Results of the requests so far."""

    answers: Counter[float] = field(default_factory=Counter)
    """Answers by value: each model of the tests answers with its own number."""
    failures: list[str] = field(default_factory=list)

    @property
    def sent(self) -> int:
        return self.answers.total() + len(self.failures)


@contextlib.contextmanager
def load(address: str, model: str, connections: int = 4) -> Iterator[Load]:
    """Send about 150 requests a second on each connection, without retries."""
    result = Load()
    lock = threading.Lock()
    stop = threading.Event()

    def send() -> None:
        connection = http.client.HTTPConnection(address, timeout=10)
        while not stop.is_set():
            try:
                value = _infer(connection, model, 0.0)
            except (OSError, http.client.HTTPException, ValueError) as error:
                connection.close()
                with lock:
                    result.failures.append(f"{type(error).__name__}: {error}")
            else:
                with lock:
                    result.answers[value] += 1
            # Without a pause, one connection keeps a processor busy.
            time.sleep(0.005)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(connections)]
    for thread in threads:
        thread.start()
    try:
        yield result
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def ask(address: str, model: str, x: float = 0.0) -> float:
    """Return the answer of an adder model, over a new connection."""
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        return _infer(connection, model, x)
    finally:
        connection.close()


def _infer(connection: http.client.HTTPConnection, model: str, x: float) -> float:
    tensor = {"name": "x", "datatype": "FP32", "shape": [1, 1], "data": [x]}
    body = json.dumps({"inputs": [tensor]})
    connection.request("POST", f"/v2/models/{model}/infer", body)
    response = connection.getresponse()
    data = response.read()
    if response.status != 200:
        raise ValueError(f"status {response.status}: {data[:200]!r}")
    answer: float = json.loads(data)["outputs"][0]["data"][0]
    return answer

"""Files of a capturing server, and its metrics about them."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from perennial_contracts.wire.counters import CaptureCounts, Counters
from support.runtime import PATIENCE, Runtime

MODEL = "/v2/models/flights"
ROW = {"amount": 2.0, "carrier": "AA", "seats": 150, "weekend": False}


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def read(folder: Path, query: str) -> list[Any]:
    """Query the captured files; ``?`` is the pattern of the files of a kind."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for kind in ("predictions", "labels"):
            query = query.replace(
                f"?{kind}",
                f"read_parquet('{folder}/{kind}/**/*.parquet', hive_partitioning = true)",
            )
        return connection.execute(query).fetchall()


def predict(server: Runtime, *rows: Any) -> list[str]:
    status, body, _ = server.request("POST", f"{MODEL}/predict", {"instances": list(rows)})
    assert status == 200
    return [prediction["prediction_id"] for prediction in body["predictions"]]


def feed_back(server: Runtime, *labels: Any) -> None:
    entries = [{"prediction_id": text, "label": label} for text, label in labels]
    assert server.request("POST", f"{MODEL}/feedback", {"feedback": entries})[0] == 200


def capture_of(server: Runtime, model: str = "flights") -> CaptureCounts:
    body = server.request("GET", f"/v2/models/{model}/counters")[1]
    return Counters.model_validate(body).capture

"""Small table, its model, and clients that predict and send labels."""

import contextlib
import functools
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from perennial_contracts.api.search import Search
from perennial_trainer.steps.fit import MadeBundle, make_bundle

ROWS_A_REQUEST = 50


@dataclass(frozen=True)
class Concept:
    """Relation of features and label; each field changes one aspect."""

    weight: float = 2.0
    """Weight of ``amount`` for the label; its negative is another relation of the same inputs."""
    hours: float = 12.0
    """Mean of a feature that does not affect the label."""

    def rows(self, count: int, seed: int) -> pd.DataFrame:
        """Return rows with the features amount, hours and segment, and the label ``buys``."""
        random = np.random.default_rng(seed)
        amount = random.normal(size=count)
        segment = random.choice(["a", "b", "c"], size=count, p=[0.5, 0.3, 0.2])
        chance = 1 / (1 + np.exp(-self.weight * amount - (segment == "a") + 0.5))
        return pd.DataFrame(
            {
                "amount": amount.astype(np.float32),
                "hours": random.normal(self.hours, 3.0, size=count).astype(np.float32),
                "segment": segment,
                "buys": (random.random(count) < chance).astype(np.int64),
            }
        )


TRUTH = Concept()
FLIPPED = Concept(weight=-2.0)
SHIFTED = Concept(hours=20.0)


@functools.cache
def bundle() -> MadeBundle:
    """Train a model of TRUTH, in about a second."""
    search = Search(candidates=["Logistic"], metric="roc_auc", maxTrials=1, seed=0)
    with threadpool_limits(1):
        return make_bundle(
            TRUTH.rows(4000, seed=1), label="buys", positive="1", search=search, lineage={}
        )


@dataclass
class Report:
    """Results of the requests so far."""

    versions: Counter[str] = field(default_factory=Counter)
    """Answered requests by the version of the model."""
    failures: list[str] = field(default_factory=list)

    @property
    def sent(self) -> int:
        return self.versions.total() + len(self.failures)


class Client:
    """Client with one keep-alive connection."""

    def __init__(self, address: str, model: str) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=10)
        self._path = f"/v2/models/{model}"

    def predict(self, rows: pd.DataFrame) -> Any:
        instances = rows.drop(columns="buys").to_dict("records")
        return self._post("predict", {"instances": instances})

    def feed_back(self, answer: Any, rows: pd.DataFrame) -> Any:
        pairs = zip(answer["predictions"], rows["buys"].tolist(), strict=True)
        labels = [{"prediction_id": each["prediction_id"], "label": label} for each, label in pairs]
        return self._post("feedback", {"feedback": labels})

    def close(self) -> None:
        self._connection.close()

    def _post(self, verb: str, body: Any) -> Any:
        self._connection.request("POST", f"{self._path}/{verb}", json.dumps(body))
        response = self._connection.getresponse()
        data = response.read()
        if response.status != 200:
            raise ValueError(f"status {response.status}: {data[:300]!r}")
        return json.loads(data)


@contextlib.contextmanager
def traffic(
    address: str, model: str, concept: Callable[[], Concept], *, labels: bool = True
) -> Iterator[Report]:
    """Predict and send labels during the block. Nothing is retried."""
    report = Report()
    stop = threading.Event()

    def send() -> None:
        client = Client(address, model)
        seed = 1000
        while not stop.is_set():
            seed += 1
            rows = concept().rows(ROWS_A_REQUEST, seed)
            try:
                answer = client.predict(rows)
                if labels:
                    client.feed_back(answer, rows)
            except (OSError, http.client.HTTPException, ValueError) as error:
                client.close()
                report.failures.append(f"{type(error).__name__}: {error}")
            else:
                report.versions[answer["model_version"]] += 1
            # Leaves the two processors to the cluster; about a thousand rows a second.
            time.sleep(0.05)
        client.close()

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield report
    finally:
        stop.set()
        thread.join()

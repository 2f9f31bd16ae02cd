"""Simulate months: request predictions for flights, and send their labels."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score

from . import deployment, protocol
from .data import Rows
from .errors import DemoError
from .kubectl import Kubectl
from .news import Event, Sight
from .observer import Observer
from .outcomes import Outcomes
from .pacing import paced
from .protocol import Prediction
from .reach import Endpoint
from .record import Month
from .traffic import Traffic
from .view import View

ROWS_A_REQUEST = 64
CONNECTIONS = 4
DAYS_A_MONTH = 30
DAYS_LATE = 2
"""Days from a flight to its label."""
PATIENCE_SECONDS = 120.0
"""Seconds to wait at the end for a run to finish."""


@dataclass(frozen=True)
class Year:
    """Simulation of months."""

    kubectl: Kubectl
    endpoint: Endpoint
    rows: Rows
    frozen: Callable[[Rows], np.ndarray]
    """Probabilities of being late by January's model."""
    seconds_a_month: float

    def play(self, numbers: list[int], view: View) -> list[Month]:
        """Simulate months in order, and return their results."""
        months: list[Month] = []

        def on_change(sight: Sight, events: list[Event]) -> None:
            if months:
                months[-1].events += events
            view.see(sight, events)

        delay = DAYS_LATE * self.seconds_a_month / DAYS_A_MONTH
        with Observer(self.kubectl, on_change) as observer:
            with Outcomes(self.endpoint, deployment.NAME, delay) as outcomes:
                for number in numbers:
                    months.append(Month(number))
                    view.begin(months[-1])
                    self._serve(months[-1], outcomes)
                    view.end(months[-1])
            months[-1].failed += len(outcomes.failures)
            deadline = time.monotonic() + PATIENCE_SECONDS
            while observer.sight.running and time.monotonic() < deadline:
                time.sleep(1.0)
        return months

    def _serve(self, month: Month, outcomes: Outcomes) -> None:
        rows = self.rows.month(month.number)
        bodies = protocol.batches(rows, ROWS_A_REQUEST)
        answers: dict[int, Prediction] = {}

        def on_answer(number: int, prediction: Prediction) -> None:
            answers[number] = prediction
            start = number * ROWS_A_REQUEST
            outcomes.add(prediction.ids, rows.late[start : start + ROWS_A_REQUEST].tolist())
            month.requests += 1
            month.flights += len(prediction.ids)
            if prediction.version not in month.versions:
                month.versions.append(prediction.version)

        with Traffic(
            self.endpoint,
            protocol.predict_path(deployment.NAME),
            paced(bodies, self.seconds_a_month),
            connections=CONNECTIONS,
            on_answer=on_answer,
        ) as traffic:
            pass
        month.failed = len(traffic.report.failures)
        month.problems = traffic.report.failures[:3]
        if not answers:
            raise DemoError(f"no request of {month.name} was answered. {month.problems[0]}")
        self._score(month, rows, answers)

    def _score(self, month: Month, rows: Rows, answers: dict[int, Prediction]) -> None:
        """Score both models on the month's flights; the living one on its predictions."""
        indices = np.concatenate(
            [np.arange(len(each.ids)) + number * ROWS_A_REQUEST for number, each in answers.items()]
        )
        living = np.concatenate([each.probability for each in answers.values()])
        month.living_auc = float(roc_auc_score(rows.late[indices], living))
        month.frozen_auc = float(roc_auc_score(rows.late, self.frozen(rows)))

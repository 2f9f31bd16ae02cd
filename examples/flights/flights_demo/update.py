"""A new version of the model takes over while clients keep asking."""

import itertools
import time
from dataclasses import dataclass

from . import deployment
from .kubectl import Kubectl
from .reach import Endpoint
from .screen import Show
from .traffic import Report, Traffic

CONNECTIONS = 4
PAUSE_SECONDS = 0.02
"""Between an answer and the next request of a connection."""
LEAD_SECONDS = 2.0
"""How long requests are sent before the change, and again after it is complete."""


@dataclass(frozen=True)
class Update:
    """What the clients saw."""

    report: Report
    changed: float
    """When the spec was changed, by ``time.monotonic``."""
    done: float
    """When nothing of the old revision was left."""
    revision: str
    """The one that serves now."""


def update_under_load(
    kubectl: Kubectl,
    endpoint: Endpoint,
    path: str,
    bodies: list[bytes],
    uri: str,
    digest: str,
    show: Show,
) -> Update:
    """Changes the model in the spec and sends requests until its pods alone are left."""
    requests = itertools.cycle(enumerate(bodies))
    with Traffic(endpoint, path, requests, connections=CONNECTIONS, pause=PAUSE_SECONDS) as traffic:
        time.sleep(LEAD_SECONDS)
        deployment.change_model(kubectl, uri)
        changed = time.monotonic()

        def show_both(line: str) -> None:
            sent, failed = traffic.report.sent, len(traffic.report.failures)
            show(line, f"{sent:,} requests, {failed} failed | ")

        view = deployment.wait_until_served(kubectl, uri, digest, show_both)
        done = time.monotonic()
        time.sleep(LEAD_SECONDS)
        traffic.stop()
    return Update(traffic.report, changed, done, view.revision)

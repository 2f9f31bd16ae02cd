"""The paths of the Open Inference Protocol v2 over REST, and Perennial's own beside them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson

from .. import version
from ..answer import Answer
from ..errors import NotReadyError
from ..frontends import Call
from ..routing import Route, Routes, get
from .server_state import EXTENSIONS, PROGRAM, Standing

if TYPE_CHECKING:
    from ..metrics_view import MetricsView
    from ..service import Service

VERBS = {
    "infer": "POST",
    "predict": "POST",
    "feedback": "POST",
    "counters": "GET",
    "profile": "GET",
}
"""The last parts of paths below the model's, and their methods."""


class V2Site:
    """Paths below /v2."""

    def __init__(self, standing: Standing, view: "MetricsView") -> None:
        self._standing = standing
        self._view = view

    def routes(self) -> Routes:
        """What is served from the start."""
        loading = self._standing.loading
        routes: Routes = {
            "/v2": get("v2", "metadata", self._server_metadata),
            "/v2/health/live": get("v2", "health", self._live),
            "/v2/health/ready": get("v2", "health", self._ready),
        }
        for path in self._model_paths():
            routes[path] = get("v2", "metadata", loading)
            routes[f"{path}/ready"] = get("v2", "health", self._model_ready)
            for verb, method in VERBS.items():
                routes[f"{path}/{verb}"] = Route("v2", verb, method, answer=loading)
        return routes

    def serve(self, service: "Service") -> Routes:
        """What changes with a model."""
        routes: Routes = {}
        for path in self._model_paths():
            routes[path] = get("v2", "metadata", _always(service.metadata()))
            routes[f"{path}/ready"] = get("v2", "health", self._model_ready)
            routes[f"{path}/counters"] = get("v2", "counters", self._counters, self._view.apart)
            for verb, route in service.routes().items():
                routes[f"{path}/{verb}"] = route
        return routes

    def _model_paths(self) -> list[str]:
        path = f"/v2/models/{self._standing.name}"
        return [path, *(f"{path}/versions/{known}" for known in self._standing.versions)]

    def _server_metadata(self, call: Call) -> Answer:
        facts = {"name": PROGRAM, "version": version(), "extensions": EXTENSIONS}
        return Answer(orjson.dumps(facts))

    def _live(self, call: Call) -> Answer:
        return Answer(orjson.dumps({"live": True, "ready": self._standing.is_ready}))

    def _ready(self, call: Call) -> Answer:
        return self._readiness({"live": True, "ready": self._standing.is_ready})

    def _model_ready(self, call: Call) -> Answer:
        return self._readiness({"name": self._standing.name, "ready": self._standing.is_ready})

    def _counters(self, call: Call) -> Answer:
        return Answer(self._view.counters().model_dump_json().encode())

    def _readiness(self, state: dict[str, object]) -> Answer:
        body = orjson.dumps(state)
        if not self._standing.is_ready:
            raise NotReadyError(body)
        return Answer(body)


def _always(body: bytes) -> Callable[[Call], Answer]:
    answer = Answer(body)
    return lambda call: answer

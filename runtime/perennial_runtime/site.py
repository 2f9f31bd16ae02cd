"""The paths of one server, from its start to its end: what each leads to as things stand."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson

from . import version
from .answer import Answer
from .errors import NotFoundError, NotReadyError, RequestError, UnavailableError
from .fronts import Call
from .grpc_site import STREAMS, GrpcSite
from .metrics import CONTENT_TYPE, Metrics
from .routes import Route, Routes, get
from .tfs_grpc_site import TfsGrpcSite
from .v1_site import V1Site

if TYPE_CHECKING:  # it brings numpy and ONNX Runtime, which are imported while already live
    from .service import Service

PROGRAM = "perennial-runtime"
EXTENSIONS = ("binary_tensor_data", "classification", "parameters")
MODEL_VERBS = {"infer": "POST", "predict": "POST", "feedback": "POST"} | {
    "counters": "GET",
    "profile": "GET",
}


class Site:
    """Routes, and whether the server is ready."""

    program = PROGRAM
    extensions = EXTENSIONS
    streams = STREAMS
    """Paths of the gRPC methods that take a stream of messages."""

    def __init__(self, name: str, metrics: Metrics, max_body_bytes: int) -> None:
        self.name = name
        self.is_loaded = False
        self.is_draining = False
        self._metrics = metrics
        self._versions: tuple[str, ...] = ("1",)
        self._v1 = V1Site(self, max_body_bytes)
        self._grpc = GrpcSite(self, metrics, max_body_bytes)
        self._tfs_grpc = TfsGrpcSite(self, max_body_bytes)
        self.routes: Routes = {
            "/": get("http", "page", self._alive),
            "/openapi.json": get("http", "openapi", self._loading),
            "/metrics": get("http", "metrics", self._text_of_metrics),
            "/v2": get("v2", "metadata", self._server_metadata),
            "/v2/health/live": get("v2", "health", self._live),
            "/v2/health/ready": get("v2", "health", self._ready),
            **self._v1.routes(),
            **self._grpc.routes(),
        }
        for path in self._model_paths():
            self.routes[path] = get("v2", "metadata", self._loading)
            self.routes[f"{path}/ready"] = get("v2", "health", self._model_ready)
            for verb, method in MODEL_VERBS.items():
                self.routes[f"{path}/{verb}"] = Route("v2", verb, method, answer=self._loading)

    @property
    def is_ready(self) -> bool:
        return self.is_loaded and not self.is_draining

    def serve(self, service: "Service") -> None:
        """From now on the paths of the model lead to it."""
        from .about import About

        self._versions = ("1", service.model.version)
        for path in self._model_paths():
            self.routes[path] = get("v2", "metadata", _always(service.metadata()))
            self.routes[f"{path}/ready"] = get("v2", "health", self._model_ready)
            for verb, route in service.routes().items():
                self.routes[f"{path}/{verb}"] = route
        about = About(service)
        self.routes["/"] = get("http", "page", about.page)
        self.routes["/openapi.json"] = get("http", "openapi", about.openapi)
        for more in (self._v1, self._grpc, self._tfs_grpc):
            self.routes.update(more.serve(service))
        self.is_loaded = True

    def unknown(self, path: str) -> RequestError:
        """What is wrong with a path that leads nowhere."""
        parts = path.split("/")
        if parts[:3] == ["", "v1", "models"] and len(parts) > 3:
            found = parts[3].partition(":")[0]
            if found != self.name:
                return NotFoundError(f"model: expected {self.name!r}, got {found!r}")
        if parts[:3] == ["", "v2", "models"] and len(parts) > 3:
            if parts[3] != self.name:
                return NotFoundError(f"model: expected {self.name!r}, got {parts[3]!r}")
            if parts[4:5] == ["versions"] and len(parts) > 5 and parts[5] not in self._versions:
                expected = " or ".join(map(repr, reversed(self._versions)))
                return NotFoundError(f"version: expected {expected}, got {parts[5]!r}")
        return NotFoundError(f"path: nothing is served at {path}")

    def _model_paths(self) -> list[str]:
        path = f"/v2/models/{self.name}"
        return [path, *(f"{path}/versions/{known}" for known in self._versions)]

    def _loading(self, call: Call) -> Answer:
        raise UnavailableError(
            f"the model {self.name!r} is still being loaded. Try again in a second"
        )

    def _alive(self, call: Call) -> Answer:
        return Answer(orjson.dumps({"status": "alive"}))

    def _text_of_metrics(self, call: Call) -> Answer:
        return Answer(self._metrics.text(), CONTENT_TYPE)

    def _server_metadata(self, call: Call) -> Answer:
        facts = {"name": PROGRAM, "version": version(), "extensions": EXTENSIONS}
        return Answer(orjson.dumps(facts))

    def _live(self, call: Call) -> Answer:
        return Answer(orjson.dumps({"live": True, "ready": self.is_ready}))

    def _ready(self, call: Call) -> Answer:
        return self._readiness({"live": True, "ready": self.is_ready})

    def _model_ready(self, call: Call) -> Answer:
        return self._readiness({"name": self.name, "ready": self.is_ready})

    def _readiness(self, state: dict[str, object]) -> Answer:
        body = orjson.dumps(state)
        if not self.is_ready:
            raise NotReadyError(body)
        return Answer(body)


def _always(body: bytes) -> Callable[[Call], Answer]:
    answer = Answer(body)
    return lambda call: answer

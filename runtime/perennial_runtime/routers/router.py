"""All the paths of one server, from its start to its end."""

from typing import TYPE_CHECKING

import orjson

from ..answer import Answer
from ..errors import NotFoundError, RequestError
from ..frontends import Call
from ..metrics import CONTENT_TYPE
from ..protocol.v2.header import HEADER
from ..routing import Routes, get
from .grpc import STREAMS, OipGrpcSite
from .server_state import Standing
from .tfs_grpc import TfsGrpcSite
from .v1 import V1Site
from .v2 import V2Site

if TYPE_CHECKING:  # it brings ONNX Runtime, which is imported while already live
    from ..metrics_view import MetricsView
    from ..service import Service


class Site:
    """Routes by path; they change once, when the model is there."""

    streams = STREAMS
    """Paths of the gRPC methods that take or answer a stream of messages."""

    data_at_header = HEADER.lower()
    """See :class:`perennial_runtime.frontends.Limits`."""

    def __init__(self, standing: Standing, view: "MetricsView", max_body_bytes: int) -> None:
        self.standing = standing
        self._view = view
        self._parts = (
            V2Site(self.standing, view),
            V1Site(self.standing, max_body_bytes),
            OipGrpcSite(self.standing, view, max_body_bytes),
            TfsGrpcSite(self.standing, max_body_bytes),
        )
        self.routes: Routes = {
            "/": get("http", "page", self._alive),
            "/openapi.json": get("http", "openapi", self.standing.loading),
            "/metrics": get("http", "metrics", self._text_of_metrics, view.apart),
        }
        for part in self._parts:
            self.routes.update(part.routes())

    def serve(self, service: "Service") -> None:
        """From now on the paths of the model lead to it; whether it is ready is said elsewhere."""
        from .about import About

        self.standing.versions = ("1", service.model.version)
        self._view.serve(service.monitor.counters)
        about = About(service)
        self.routes["/"] = get("http", "page", about.page, about.apart)
        self.routes["/openapi.json"] = get("http", "openapi", about.openapi)
        for part in self._parts:
            self.routes.update(part.serve(service))

    def unknown(self, path: str) -> RequestError:
        """What is wrong with a path that leads nowhere."""
        parts = path.split("/")
        if parts[:2] in (["", "v1"], ["", "v2"]) and parts[2:3] == ["models"] and len(parts) > 3:
            name = parts[3].partition(":")[0]
            if name != self.standing.name:
                return NotFoundError(f"model: expected {self.standing.name!r}, got {name!r}")
            versions = self.standing.versions if parts[1] == "v2" else ("1",)
            found = parts[5].partition(":")[0] if len(parts) > 5 else None
            if parts[4:5] == ["versions"] and found is not None and found not in versions:
                expected = " or ".join(map(repr, reversed(versions)))
                return NotFoundError(f"version: expected {expected}, got {found!r}")
        return NotFoundError(f"path: nothing is served at {path}")

    def _alive(self, call: Call) -> Answer:
        return Answer(orjson.dumps({"status": "alive"}))

    def _text_of_metrics(self, call: Call) -> Answer:
        return Answer(self._view.text(), CONTENT_TYPE)

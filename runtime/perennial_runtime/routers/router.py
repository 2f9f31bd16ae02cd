"""The table of all routes of the server, from its start to its end."""

from typing import TYPE_CHECKING, Protocol

import orjson

from ..errors import NotFoundError, RequestError
from ..frontends import Call
from ..metrics import CONTENT_TYPE
from ..protocol.v2.header import HEADER
from ..routing import Response, Routes, get
from .grpc import STREAMS, GrpcRouter
from .server_state import ServerState
from .tfs_grpc import TfsGrpcRouter
from .v1 import V1Router
from .v2 import V2Router

if TYPE_CHECKING:  # the service imports ONNX Runtime, when the server is already live
    from ..metrics_view import MetricsView
    from ..service import Service


class ProtocolRouter(Protocol):
    """The routes of one protocol."""

    def routes(self) -> Routes:
        """Return the routes that exist from the start."""
        ...

    def serve(self, service: "Service") -> Routes:
        """Return the routes that the loaded model adds or replaces."""
        ...


class Router:
    """Routes by path. They change once, when the model is loaded."""

    streams = STREAMS
    """Paths of the gRPC methods with a stream of messages in or out."""

    data_at_header = HEADER.lower()
    """See :class:`perennial_runtime.frontends.Limits`."""

    def __init__(self, state: ServerState, view: "MetricsView", max_body_bytes: int) -> None:
        self.state = state
        self._view = view
        self._routers: tuple[ProtocolRouter, ...] = (
            V2Router(state, view, max_body_bytes),
            V1Router(state, max_body_bytes),
            GrpcRouter(state, view, max_body_bytes),
            TfsGrpcRouter(state, max_body_bytes),
        )
        self.routes: Routes = {
            "/": get("http", "page", self._alive),
            "/openapi.json": get("http", "openapi", state.loading),
            "/metrics": get("http", "metrics", self._metrics, view.submit),
        }
        for router in self._routers:
            self.routes.update(router.routes())

    def serve(self, service: "Service") -> None:
        """Switch to the routes of a loaded model. Readiness is a matter of the state."""
        from .about import About

        self.state.versions = ("1", service.model.version)
        self._view.serve(service.monitor.counters)
        about = About(service)
        self.routes["/"] = get("http", "page", about.page, about.submit)
        self.routes["/openapi.json"] = get("http", "openapi", about.openapi)
        for router in self._routers:
            self.routes.update(router.serve(service))

    def not_found(self, path: str) -> RequestError:
        """Build the error for a path without a route."""
        parts = path.split("/")
        if parts[:2] in (["", "v1"], ["", "v2"]) and parts[2:3] == ["models"] and len(parts) > 3:
            name = parts[3].partition(":")[0]
            if name != self.state.name:
                return NotFoundError(f"model: expected {self.state.name!r}, got {name!r}")
            versions = self.state.versions if parts[1] == "v2" else ("1",)
            version = parts[5].partition(":")[0] if len(parts) > 5 else None
            if parts[4:5] == ["versions"] and version is not None and version not in versions:
                expected = " or ".join(map(repr, reversed(versions)))
                return NotFoundError(f"version: expected {expected}, got {version!r}")
        return NotFoundError(f"path: nothing is served at {path}")

    def _alive(self, call: Call) -> Response:
        return Response(orjson.dumps({"status": "alive"}))

    def _metrics(self, call: Call) -> Response:
        return Response(self._view.text(), CONTENT_TYPE)

"""The gRPC methods of the Open Inference Protocol, with health and reflection."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import version
from ..encoding import read_body
from ..frontends import Call
from ..protocol.grpc import health
from ..protocol.grpc import inference_service as inference
from ..protocol.grpc.inference_service import Duration, Statistics
from ..protocol.grpc.reflection import reflect
from ..routing import CodecHandler, Response, Route, Routes, Submit, infer, post
from .server_state import EXTENSIONS, PROGRAM, ServerState
from .watchers import Watchers

if TYPE_CHECKING:
    from ..metrics_view import MetricsView
    from ..service import Service

INFERENCE = "/inference.GRPCInferenceService"
STREAM_INFER = f"{INFERENCE}/ModelStreamInfer"
REFLECTION = tuple(
    f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
    for version in ("v1", "v1alpha")
)
WATCH = "/grpc.health.v1.Health/Watch"
STREAMS = (STREAM_INFER, WATCH, *REFLECTION)
"""Paths of the methods with a stream of messages in or out."""


class GrpcRouter:
    """Methods by path. Only those that run the model change when it is loaded."""

    def __init__(self, state: ServerState, view: "MetricsView", max_body_bytes: int) -> None:
        self._state = state
        self._watchers = Watchers(state)
        self._view = view
        self._limit = max_body_bytes
        self._service: Service | None = None

    def routes(self) -> Routes:
        """Return the routes that exist from the start."""
        methods: dict[str, tuple[str, Callable[[Call], bytes]]] = {
            f"{INFERENCE}/ServerLive": ("health", lambda call: inference.server_live(True)),
            f"{INFERENCE}/ServerReady": ("health", self._server_ready),
            f"{INFERENCE}/ModelReady": ("health", self._model_ready),
            f"{INFERENCE}/ServerMetadata": ("metadata", self._server_metadata),
            f"{INFERENCE}/ModelMetadata": ("metadata", self._model_metadata),
            f"{INFERENCE}/RepositoryIndex": ("metadata", self._repository_index),
            f"{INFERENCE}/ModelInfer": ("infer", self._loading),
            STREAM_INFER: ("stream_infer", self._loading),
            "/grpc.health.v1.Health/Check": ("health", self._health_check),
            "/grpc.health.v1.Health/List": ("health", self._health_list),
            **dict.fromkeys(REFLECTION, ("reflection", self._reflect)),
        }
        routes = {path: _method(name, respond) for path, (name, respond) in methods.items()}
        routes[f"{INFERENCE}/ModelStatistics"] = _method(
            "statistics", self._statistics, self._view.submit
        )
        routes[WATCH] = Route("grpc", "health", "POST", respond=self._watch)
        return routes

    def serve(self, service: "Service") -> Routes:
        """Return the routes that the loaded model replaces."""
        from ..protocol.grpc.codec import GrpcCodec

        self._service = service
        model = service.model
        codec = GrpcCodec(
            service.name, model.version, model.inputs, model.outputs, service.class_names
        )
        return {
            f"{INFERENCE}/ModelInfer": infer("grpc", "infer", CodecHandler(codec, self._limit)),
            STREAM_INFER: Route(
                "grpc",
                "stream_infer",
                "POST",
                handler=CodecHandler(codec, self._limit, inference.stream_response),
                on_error=lambda error: Response(inference.stream_error(str(error))),
            ),
        }

    @property
    def _ready(self) -> bool:
        return self._state.is_ready

    def _loaded(self) -> "Service":
        if self._service is None:
            raise self._state.unavailable()
        return self._service

    def _body(self, call: Call) -> bytes:
        return read_body(call, self._limit)

    def _loading(self, call: Call) -> bytes:
        raise self._state.unavailable()

    def _server_ready(self, call: Call) -> bytes:
        return inference.server_ready(self._ready)

    def _model_ready(self, call: Call) -> bytes:
        return inference.model_ready(
            self._body(call), self._state.name, self._state.version, self._ready
        )

    def _server_metadata(self, call: Call) -> bytes:
        return inference.server_metadata(PROGRAM, version(), EXTENSIONS)

    def _model_metadata(self, call: Call) -> bytes:
        service = self._loaded()
        return inference.model_metadata(
            self._body(call),
            service.name,
            service.model.version,
            service.platform,
            service.model.inputs,
            service.model.outputs,
            service.properties(),
        )

    def _statistics(self, call: Call) -> bytes:
        service = self._loaded()
        runs = self._view.runs()
        statistics = Statistics(
            inference_count=self._view.counters().rows,
            execution_count=runs.runs,
            success=Duration(runs.requests, runs.queue_ns + runs.compute_ns),
            queue=Duration(runs.requests, runs.queue_ns),
            compute_infer=Duration(runs.runs, runs.compute_ns),
        )
        name, version = service.name, service.model.version
        return inference.model_statistics(self._body(call), name, version, statistics)

    def _repository_index(self, call: Call) -> bytes:
        reason = "draining" if self._service else "loading"
        return inference.repository_index(
            self._body(call), self._state.name, self._state.version, self._ready, reason
        )

    def _health_check(self, call: Call) -> bytes:
        return health.check(self._body(call), self._ready)

    def _health_list(self, call: Call) -> bytes:
        return health.status_of_all(self._ready)

    def _watch(self, call: Call) -> None:
        self._watchers.add(call, health.requested_service(self._body(call)))

    def _reflect(self, call: Call) -> bytes:
        return reflect(self._body(call))


def _method(name: str, respond: Callable[[Call], bytes], submit: Submit | None = None) -> Route:
    return post("grpc", name, lambda call: Response(respond(call)), submit)

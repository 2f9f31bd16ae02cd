"""The gRPC methods that are served, whatever the model's state."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import version
from ..answer import Answer
from ..encoding import body_of
from ..frontends import Call
from ..protocol.grpc import health
from ..protocol.grpc import inference_service as answers
from ..protocol.grpc.reflection import reflect
from ..protocol.grpc.statistics import Duration, Statistics
from ..routing import Apart, Route, Routes, ask, post
from .server_state import EXTENSIONS, PROGRAM, Standing
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
"""Paths of the methods that take or answer a stream of messages."""


class OipGrpcSite:
    """Methods by path."""

    def __init__(self, standing: Standing, view: "MetricsView", max_body_bytes: int) -> None:
        self._standing = standing
        self._watchers = Watchers(standing)
        self._view = view
        self._limit = max_body_bytes
        self._service: Service | None = None

    def routes(self) -> Routes:
        """What is served from the start."""
        methods: dict[str, tuple[str, Callable[[Call], bytes]]] = {
            f"{INFERENCE}/ServerLive": ("health", lambda call: answers.server_live(True)),
            f"{INFERENCE}/ServerReady": ("health", self._server_ready),
            f"{INFERENCE}/ModelReady": ("health", self._model_ready),
            f"{INFERENCE}/ServerMetadata": ("metadata", self._server_metadata),
            f"{INFERENCE}/ModelMetadata": ("metadata", self._model_metadata),
            f"{INFERENCE}/RepositoryIndex": ("metadata", self._index),
            f"{INFERENCE}/ModelInfer": ("infer", self._loading),
            STREAM_INFER: ("stream_infer", self._loading),
            "/grpc.health.v1.Health/Check": ("health", self._check),
            "/grpc.health.v1.Health/List": ("health", lambda call: health.every(self._ready)),
            **dict.fromkeys(REFLECTION, ("reflection", self._reflect)),
        }
        routes = {path: _method(name, answer) for path, (name, answer) in methods.items()}
        routes[f"{INFERENCE}/ModelStatistics"] = _method(
            "statistics", self._statistics, self._view.apart
        )
        routes[WATCH] = Route("grpc", "health", "POST", answer=self._watch)
        return routes

    def serve(self, service: "Service") -> Routes:
        """What changes with a model."""
        from ..handlers.plain import PlainEndpoint
        from ..protocol.grpc.codec import GrpcCodec

        self._service = service
        model = service.model
        codec = GrpcCodec(
            service.name, model.version, model.inputs, model.outputs, service.class_names
        )
        plain = PlainEndpoint(codec, self._limit)
        stream = PlainEndpoint(codec, self._limit, answers.stream_answer)
        return {
            f"{INFERENCE}/ModelInfer": ask("grpc", "infer", plain),
            STREAM_INFER: Route(
                "grpc",
                "stream_infer",
                "POST",
                endpoint=stream,
                on_error=lambda error: Answer(answers.stream_error(str(error))),
            ),
        }

    @property
    def _ready(self) -> bool:
        return self._standing.is_ready

    def _loaded(self) -> "Service":
        if self._service is None:
            raise self._standing.unavailable()
        return self._service

    def _body(self, call: Call) -> bytes:
        return body_of(call, self._limit)

    def _loading(self, call: Call) -> bytes:
        self._loaded()
        raise AssertionError("these methods change when the model is there")

    def _server_ready(self, call: Call) -> bytes:
        return answers.server_ready(self._ready)

    def _model_ready(self, call: Call) -> bytes:
        return answers.model_ready(
            self._body(call), self._standing.name, self._standing.version, self._ready
        )

    def _server_metadata(self, call: Call) -> bytes:
        return answers.server_metadata(PROGRAM, version(), EXTENSIONS)

    def _model_metadata(self, call: Call) -> bytes:
        service = self._loaded()
        return answers.model_metadata(
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
        return answers.model_statistics(self._body(call), name, version, statistics)

    def _index(self, call: Call) -> bytes:
        reason = "draining" if self._service else "loading"
        return answers.repository_index(
            self._body(call), self._standing.name, self._standing.version, self._ready, reason
        )

    def _check(self, call: Call) -> bytes:
        return health.check(self._body(call), self._ready)

    def _watch(self, call: Call) -> None:
        self._watchers.add(call, health.watched(self._body(call)))

    def _reflect(self, call: Call) -> bytes:
        return reflect(self._body(call))


def _method(name: str, answer: Callable[[Call], bytes], apart: Apart | None = None) -> Route:
    return post("grpc", name, lambda call: Answer(answer(call)), apart)

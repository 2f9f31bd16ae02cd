"""The paths of the Open Inference Protocol v2 over REST, with extensions.

Perennial adds /predict (rows of a table), /feedback, /counters and /profile.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .. import version
from ..encoding import read_body, read_buffer
from ..errors import BadRequestError, NotFoundError, NotReadyError
from ..frontends import Call
from ..protocol.v2 import status
from ..protocol.v2.header import HEADER, read_header_length
from ..routing import OCTETS, Response, Route, Routes, get, infer, post
from .server_state import EXTENSIONS, PROGRAM, ServerState

if TYPE_CHECKING:  # imported when the server is already live
    import numpy as np

    from ..metrics_view import MetricsView
    from ..protocol.perennial.rows import RowCodec, RowsRequest
    from ..protocol.shared.infer_request import InferRequest
    from ..protocol.v2.codec import V2Codec
    from ..service import Service

HEADER_LENGTH = HEADER.lower()

METHODS = {
    "infer": "POST",
    "predict": "POST",
    "feedback": "POST",
    "counters": "GET",
    "profile": "GET",
}
"""HTTP methods of the paths below the model's."""


class V2Router:
    """Paths below /v2."""

    def __init__(self, state: ServerState, view: "MetricsView", max_body_bytes: int) -> None:
        self._state = state
        self._view = view
        self._limit = max_body_bytes

    def routes(self) -> Routes:
        """Return the routes that exist from the start."""
        loading = self._state.loading
        routes: Routes = {
            "/v2": get("v2", "metadata", self._server_metadata),
            "/v2/health/live": get("v2", "health", self._live),
            "/v2/health/ready": get("v2", "health", self._ready),
        }
        for path in self._model_paths():
            routes[path] = get("v2", "metadata", loading)
            routes[f"{path}/ready"] = get("v2", "health", self._model_ready)
            for name, method in METHODS.items():
                routes[f"{path}/{name}"] = Route("v2", name, method, respond=loading)
        return routes

    def serve(self, service: "Service") -> Routes:
        """Return the routes that the loaded model adds or replaces."""
        below = {
            "": get("v2", "metadata", _always(_metadata(service))),
            "/ready": get("v2", "health", self._model_ready),
            "/infer": self._infer(service),
            "/predict": self._predict(service),
            "/feedback": self._feedback(service),
            "/counters": get("v2", "counters", self._counters, self._view.submit),
            "/profile": get("v2", "profile", _profile(service)),
        }
        return {
            f"{path}{suffix}": route
            for path in self._model_paths()
            for suffix, route in below.items()
        }

    def _model_paths(self) -> list[str]:
        path = f"/v2/models/{self._state.name}"
        return [path, *(f"{path}/versions/{version}" for version in self._state.versions)]

    def _infer(self, service: "Service") -> Route:
        from ..protocol.v2.codec import V2Codec

        model = service.model
        codec = V2Codec(
            service.name, model.version, model.inputs, model.outputs, service.class_names
        )
        return infer("v2", "infer", InferHandler(codec, self._limit))

    def _predict(self, service: "Service") -> Route:
        from ..protocol.perennial.rows import RowCodec

        name, model = service.name, service.model
        if not service.is_tabular:
            return post("v2", "predict", _no_rows(service))
        codec = RowCodec(name, model.version, model.inputs, model.outputs, model.classes)
        return infer("v2", "predict", PredictHandler(codec, self._limit))

    def _feedback(self, service: "Service") -> Route:
        from ..protocol.perennial.feedback import FeedbackCodec

        model = service.model
        codec = FeedbackCodec(
            service.name,
            model.version,
            service.ids,
            model.classes,
            is_regression=model.is_regression,
        )

        def respond(call: Call) -> Response:
            feedback = codec.decode(read_body(call, self._limit))
            service.monitor.record_labels(feedback.ids, feedback.predictions, feedback.labels)
            return Response(feedback.encode())

        return post("v2", "feedback", respond)

    def _server_metadata(self, call: Call) -> Response:
        return Response(status.server_body(PROGRAM, version(), EXTENSIONS))

    def _live(self, call: Call) -> Response:
        return Response(status.health_body(self._state.is_ready))

    def _ready(self, call: Call) -> Response:
        return self._readiness(status.health_body(self._state.is_ready))

    def _model_ready(self, call: Call) -> Response:
        return self._readiness(status.model_ready_body(self._state.name, self._state.is_ready))

    def _readiness(self, body: bytes) -> Response:
        if not self._state.is_ready:
            raise NotReadyError(body)
        return Response(body)

    def _counters(self, call: Call) -> Response:
        return Response(self._view.counters().model_dump_json().encode())


class InferHandler:
    """``POST /v2/models/NAME/infer``: tensors as JSON, as binary data, or both."""

    wants_ids = False

    def __init__(self, codec: "V2Codec", max_body_bytes: int) -> None:
        self._codec = codec
        self._limit = max_body_bytes

    def decode(self, call: Call) -> "InferRequest":
        """Read a request; see :class:`perennial_runtime.routing.Handler`."""
        text = call.header(HEADER_LENGTH)
        if text is None:
            return self._codec.decode(read_body(call, self._limit))
        head = read_header_length(text)
        return self._codec.decode(read_buffer(call, self._limit), head)

    def encode(
        self, request: "InferRequest", results: "Sequence[np.ndarray]", ids: Sequence[str]
    ) -> Response:
        """Write the response; see :class:`perennial_runtime.routing.Handler`."""
        body, head = self._codec.encode(request, results)
        if head is None:
            return Response(body)
        return Response(body, OCTETS, ((HEADER_LENGTH, str(head)),))


class PredictHandler:
    """``POST /v2/models/NAME/predict``: rows by feature, a prediction for each."""

    wants_ids = True

    def __init__(self, codec: "RowCodec", max_body_bytes: int) -> None:
        self._codec = codec
        self._limit = max_body_bytes

    def decode(self, call: Call) -> "RowsRequest":
        """Read a request; see :class:`perennial_runtime.routing.Handler`."""
        return self._codec.decode(read_body(call, self._limit))

    def encode(
        self, request: "RowsRequest", results: "Sequence[np.ndarray]", ids: Sequence[str]
    ) -> Response:
        """Write the response; see :class:`perennial_runtime.routing.Handler`."""
        return Response(self._codec.encode(ids, results))


def _metadata(service: "Service") -> bytes:
    model = service.model
    return status.model_body(
        service.name,
        model.version,
        service.platform,
        model.inputs,
        model.outputs,
        service.properties(),
    )


def _always(body: bytes) -> Callable[[Call], Response]:
    response = Response(body)
    return lambda call: response


def _no_rows(service: "Service") -> Callable[[Call], Response]:
    shapes = ", ".join(f"{t.name!r} {list(t.shape)}" for t in service.model.inputs)

    def respond(call: Call) -> Response:
        raise BadRequestError(
            f"the model {service.name!r} does not take rows of a table: expected inputs of shape "
            f"[-1, 1] or [-1], one for each feature, got {shapes}. Fix: send tensors to /infer"
        )

    return respond


def _profile(service: "Service") -> Callable[[Call], Response]:
    profiled = service.model.profiled

    def respond(call: Call) -> Response:
        if profiled is None:
            raise NotFoundError(
                f"profile: the bundle of the model {service.name!r} has no profile.json, so there "
                "is no drift detection. Fix: build the bundle with the trainer"
            )
        return Response(profiled.data)

    return respond

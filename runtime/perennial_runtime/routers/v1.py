"""The paths of TensorFlow Serving's REST API, which KServe calls its v1 protocol."""

from typing import TYPE_CHECKING

from ..errors import NotReadyError
from ..frontends import Call
from ..protocol.shared.tensorflow import State
from ..protocol.v1.status import model_body, models_body
from ..routing import Codec, CodecHandler, Response, Route, Routes, get, infer
from .server_state import ServerState

if TYPE_CHECKING:
    from ..service import Service

VERBS = ("predict", "classify", "regress")


class V1Router:
    """Paths below /v1."""

    def __init__(self, state: ServerState, max_body_bytes: int) -> None:
        self._state = state
        self._limit = max_body_bytes

    def routes(self) -> Routes:
        """Return the routes that exist from the start."""
        loading = self._state.loading
        routes: Routes = {"/v1/models": get("v1", "metadata", self._models)}
        for path in self._model_paths():
            routes[path] = get("v1", "health", self._status)
            routes[f"{path}/metadata"] = get("v1", "metadata", loading)
            for verb in VERBS:
                routes[f"{path}:{verb}"] = Route("v1", verb, "POST", respond=loading)
        return routes

    def serve(self, service: "Service") -> Routes:
        """Return the routes that the loaded model replaces."""
        from ..protocol.v1.examples import ClassifyCodec, RegressCodec
        from ..protocol.v1.predict import PredictCodec
        from ..protocol.v1.status import metadata_body

        name, model = service.name, service.model
        inputs, outputs = model.inputs, model.outputs
        codecs: dict[str, Codec] = {
            "predict": PredictCodec(name, inputs, outputs, model.classes),
            "classify": ClassifyCodec(name, inputs, model.classes),
            "regress": RegressCodec(name, inputs, outputs),
        }
        metadata = Response(metadata_body(name, inputs, outputs))
        routes: Routes = {}
        for path in self._model_paths():
            routes[f"{path}/metadata"] = get("v1", "metadata", lambda call: metadata)
            for verb, codec in codecs.items():
                routes[f"{path}:{verb}"] = infer("v1", verb, CodecHandler(codec, self._limit))
        return routes

    def _model_paths(self) -> list[str]:
        path = f"/v1/models/{self._state.name}"
        return [path, f"{path}/versions/1"]

    def _models(self, call: Call) -> Response:
        return Response(models_body(self._state.name))

    def _status(self, call: Call) -> Response:
        if self._state.is_ready:
            return Response(model_body(self._state.name, State.AVAILABLE))
        state = State.UNLOADING if self._state.is_loaded else State.LOADING
        raise NotReadyError(model_body(self._state.name, state))

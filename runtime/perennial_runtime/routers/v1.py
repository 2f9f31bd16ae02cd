"""The paths of TensorFlow Serving's REST API, which KServe's v1 clients ask too."""

from typing import TYPE_CHECKING

from ..answer import Answer
from ..errors import NotReadyError
from ..frontends import Call
from ..routing import Route, Routes, ask, get
from .server_state import Standing

if TYPE_CHECKING:
    from ..service import Service

VERBS = ("predict", "classify", "regress")


class V1Site:
    """Paths below /v1."""

    def __init__(self, standing: Standing, max_body_bytes: int) -> None:
        self._standing = standing
        self._limit = max_body_bytes

    def routes(self) -> Routes:
        """What is served from the start."""
        routes: Routes = {"/v1/models": get("v1", "metadata", self._models)}
        for path in self._paths():
            routes[path] = get("v1", "health", self._status)
            routes[f"{path}/metadata"] = get("v1", "metadata", self._standing.loading)
            for verb in VERBS:
                routes[f"{path}:{verb}"] = Route("v1", verb, "POST", answer=self._standing.loading)
        return routes

    def serve(self, service: "Service") -> Routes:
        """What changes with a model."""
        from ..handlers.plain import BodyCodec, PlainEndpoint
        from ..protocol.v1.examples import ClassifyCodec, RegressCodec
        from ..protocol.v1.predict import PredictCodec
        from ..protocol.v1.status import metadata_body

        name, model = service.name, service.model
        signature = (name, model.inputs, model.outputs, model.classes)
        codecs: list[BodyCodec] = [PredictCodec(*signature)]
        codecs += [ClassifyCodec(*signature), RegressCodec(*signature)]
        metadata = Answer(metadata_body(name, model.inputs, model.outputs))
        routes: Routes = {}
        for path in self._paths():
            routes[f"{path}/metadata"] = get("v1", "metadata", lambda call: metadata)
            for verb, codec in zip(VERBS, codecs, strict=True):
                routes[f"{path}:{verb}"] = ask("v1", verb, PlainEndpoint(codec, self._limit))
        return routes

    def _paths(self) -> list[str]:
        path = f"/v1/models/{self._standing.name}"
        return [path, f"{path}/versions/1"]

    def _models(self, call: Call) -> Answer:
        from ..protocol.v1.status import models_body

        return Answer(models_body(self._standing.name))

    def _status(self, call: Call) -> Answer:
        from ..protocol.v1.status import State, model_body

        if self._standing.is_ready:
            return Answer(model_body(self._standing.name, State.AVAILABLE))
        state = State.UNLOADING if self._standing.is_loaded else State.LOADING
        raise NotReadyError(model_body(self._standing.name, state))

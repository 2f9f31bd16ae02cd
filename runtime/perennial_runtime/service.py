"""A loaded model behind its protocols: bytes of a request to bytes of an answer, and watched."""

from collections.abc import Sequence
from typing import Any

import orjson

from .classes import LABEL, PROBABILITIES
from .counter_metrics import CounterCollector
from .errors import BadRequestError, NotFoundError
from .model import Model
from .monitor import Monitor
from .prediction_id import IdMaker
from .protocol.feedback import FeedbackCodec
from .protocol.rows import RowCodec
from .protocol.v2 import Codec
from .signature import is_tabular


class Service:
    """What one model answers. May be used from several threads at once."""

    def __init__(self, name: str, model: Model, instance: str) -> None:
        """``name`` is the model's in URLs; ``instance`` names the process."""
        self.name = name
        self.model = model
        self.is_tabular = is_tabular(model.inputs)
        ids = IdMaker(name, model.version)
        self.monitor = Monitor(
            instance,
            model.digest,
            model.inputs,
            model.classes,
            model.profiled.profile if model.profiled else None,
            ids,
            model.version,
        )
        self._codec = Codec(name, model.version, model.inputs, model.outputs)
        self._rows = RowCodec(name, model.version, model.inputs, model.outputs, model.classes)
        self._feedback = FeedbackCodec(name, model.version, ids, model.classes)
        self._all_outputs = tuple(tensor.name for tensor in model.outputs)
        self._page = self._openapi = b""
        self._watched = (LABEL, PROBABILITIES) if model.classes else ()

    def infer(self, body: bytes) -> bytes:
        """Answers tensors with tensors."""
        request = self._codec.decode(body)
        outputs = self._with_watched(request.outputs)
        results = dict(zip(outputs, self.model.run(request.feeds, outputs), strict=True))
        self.monitor.answered(request.feeds, results)
        return self._codec.encode(request, [results[name] for name in request.outputs])

    def predict(self, body: bytes) -> bytes:
        """Answers rows of a table with a prediction each.

        Raises:
            BadRequestError: for a model that takes no such rows, too.
        """
        if not self.is_tabular:
            shapes = ", ".join(f"{t.name!r} {list(t.shape)}" for t in self.model.inputs)
            raise BadRequestError(
                f"the model {self.name!r} does not take rows of a table: expected inputs of shape "
                f"[-1, 1] or [-1], one for each feature, got {shapes}. Send tensors to /infer"
            )
        _, feeds = self._rows.decode(body)
        outputs = self._all_outputs
        results = dict(zip(outputs, self.model.run(feeds, outputs), strict=True))
        ids = self.monitor.answered(feeds, results, with_ids=True)
        return self._rows.encode(ids, results)

    def feedback(self, body: bytes) -> bytes:
        """Takes the labels of predictions."""
        feedback = self._feedback.decode(body)
        self.monitor.labelled(feedback.ids, feedback.predictions, feedback.labels)
        return feedback.encode()

    def counters(self) -> bytes:
        """What was counted since the process started."""
        return self.monitor.counters().model_dump_json().encode()

    def profile(self) -> bytes:
        """The bundle's ``profile.json``.

        Raises:
            NotFoundError: where it has none.
        """
        if self.model.profiled is None:
            raise NotFoundError(
                f"profile: the bundle of the model {self.name!r} has no profile.json. "
                "Drift is only seen where it has one; the trainer writes one"
            )
        return self.model.profiled.data

    def collector(self) -> CounterCollector:
        """The counters for /metrics."""
        model = self.model
        return CounterCollector(
            self.monitor.counters,
            model.profiled.profile if model.profiled else None,
            model.classes.names if model.classes else (),
        )

    def properties(self) -> dict[str, str]:
        """The properties of the model's metadata."""
        model = self.model
        properties = {
            "digest": model.digest,
            "execution_provider": model.provider,
            "threads": str(model.threads),
        }
        if self.is_tabular:
            properties["predict"] = "true"
        if model.classes:
            properties["labels"] = orjson.dumps(model.classes.names).decode()
        return properties

    def page(self) -> bytes:
        """The page about the model, made when it is first asked for."""
        if not self._page:
            from .page import page_of

            self._page = page_of(**self._described())
        return self._page

    def openapi(self) -> bytes:
        """The OpenAPI document, made when it is first asked for."""
        if not self._openapi:
            from .openapi import openapi

            self._openapi = openapi(**self._described())
        return self._openapi

    def _described(self) -> dict[str, Any]:
        model = self.model
        return {
            "name": self.name,
            "version": model.version,
            "inputs": model.inputs,
            "outputs": model.outputs,
            "classes": model.classes,
            "bundle": model.bundle,
            "profile": model.profiled.profile if model.profiled else None,
            "properties": self.properties(),
        }

    def flush(self) -> None:
        """Has what is captured written soon."""
        if self.monitor.capture:
            self.monitor.capture.flush()

    def close(self, seconds: float) -> None:
        """Writes what is captured, for at most some seconds."""
        if self.monitor.capture:
            self.monitor.capture.close(seconds)

    def _with_watched(self, outputs: Sequence[str]) -> Sequence[str]:
        missing = [name for name in self._watched if name not in outputs]
        return [*outputs, *missing] if missing else outputs

"""A loaded model behind its protocols, and watched."""

from typing import TYPE_CHECKING

import orjson

from .answer import Answer
from .classes import LABEL, PROBABILITIES
from .encoding import body_of
from .engine.model import Model
from .errors import BadRequestError, NotFoundError
from .frontends import Call
from .handlers.rows import RowsEndpoint
from .handlers.v2 import InferEndpoint
from .monitoring.counter_metrics import CounterCollector
from .monitoring.monitor import Monitor
from .protocol.perennial.feedback import FeedbackCodec
from .protocol.perennial.prediction_id import IdMaker
from .protocol.perennial.rows import RowCodec
from .protocol.v2.codec import Codec
from .regression import PREDICTION
from .routing import Route, ask, get, post
from .signature import is_tabular

if TYPE_CHECKING:
    from .metrics import Metrics


class Service:
    """What one model answers. May be used from several threads at once."""

    platform = "onnxruntime_onnx"

    def __init__(self, name: str, model: Model, instance: str, max_body_bytes: int) -> None:
        """``name`` is the model's in URLs; ``instance`` names the process."""
        self.name = name
        self.model = model
        self.is_tabular = is_tabular(model.inputs)
        self.watched: tuple[str, ...] = (LABEL, PROBABILITIES) if model.classes else ()
        """Outputs that are looked at whether a request wants them or not."""
        if model.is_regression:
            self.watched = (PREDICTION,)
        self.class_names = {PROBABILITIES: model.classes.names} if model.classes else {}
        """The names of the classes, by the output that has a value for each."""
        self._limit = max_body_bytes
        self.ids = IdMaker(name, model.version)
        self.monitor = Monitor(
            instance,
            model.digest,
            model.inputs,
            model.classes,
            model.profiled.profile if model.profiled else None,
            self.ids,
            model.version,
            is_regression=model.is_regression,
        )
        self._feedback_codec = FeedbackCodec(
            name, model.version, self.ids, model.classes, is_regression=model.is_regression
        )

    def routes(self) -> dict[str, Route]:
        """By the last part of their paths below the model's."""
        name, model = self.name, self.model
        codec = Codec(name, model.version, model.inputs, model.outputs, self.class_names)
        return {
            "infer": ask("v2", "infer", InferEndpoint(codec, self._limit)),
            "predict": self._rows_route(),
            "feedback": post("v2", "feedback", self._feedback),
            "profile": get("v2", "profile", self._profile),
        }

    def metadata(self) -> bytes:
        """The model's metadata, as the Open Inference Protocol has it."""
        model = self.model
        return orjson.dumps(
            {
                "name": self.name,
                "versions": [model.version],
                "platform": self.platform,
                "inputs": [tensor.describe() for tensor in model.inputs],
                "outputs": [tensor.describe() for tensor in model.outputs],
                "properties": self.properties(),
            }
        )

    def properties(self) -> dict[str, str]:
        """The properties of the model's metadata."""
        model = self.model
        properties = {
            "digest": model.digest,
            "execution_provider": model.provider,
            "threads": str(model.threads),
        }
        if model.fallback:
            properties["execution_provider_fallback"] = model.fallback
        if self.is_tabular:
            properties["predict"] = "true"
        if model.classes:
            properties["labels"] = orjson.dumps(model.classes.names).decode()
        return properties

    def announce(self, metrics: "Metrics", uri: str) -> None:
        """Has /metrics tell of the model and of its counters."""
        model = self.model
        metrics.loaded(
            name=self.name,
            digest=model.digest,
            provider=model.provider,
            fallback="true" if model.fallback else "false",
            uri=uri,
        )
        metrics.also(
            CounterCollector(
                self.monitor.counters,
                model.profiled.profile if model.profiled else None,
                model.classes.names if model.classes else (),
            )
        )

    def flush(self) -> None:
        """Has what is captured written soon."""
        if self.monitor.capture:
            self.monitor.capture.flush()

    def close(self, seconds: float) -> None:
        """Writes what is captured, for at most some seconds."""
        if self.monitor.capture:
            self.monitor.capture.close(seconds)

    def _rows_route(self) -> Route:
        if not self.is_tabular:
            return post("v2", "predict", self._no_rows)
        model = self.model
        codec = RowCodec(self.name, model.version, model.inputs, model.outputs, model.classes)
        outputs = [tensor.name for tensor in model.outputs]
        return ask("v2", "predict", RowsEndpoint(codec, outputs, self._limit))

    def _no_rows(self, call: Call) -> Answer:
        shapes = ", ".join(f"{t.name!r} {list(t.shape)}" for t in self.model.inputs)
        raise BadRequestError(
            f"the model {self.name!r} does not take rows of a table: expected inputs of shape "
            f"[-1, 1] or [-1], one for each feature, got {shapes}. Send tensors to /infer"
        )

    def _feedback(self, call: Call) -> Answer:
        feedback = self._feedback_codec.decode(body_of(call, self._limit))
        self.monitor.labelled(feedback.ids, feedback.predictions, feedback.labels)
        return Answer(feedback.encode())

    def _profile(self, call: Call) -> Answer:
        if self.model.profiled is None:
            raise NotFoundError(
                f"profile: the bundle of the model {self.name!r} has no profile.json. "
                "Drift is only seen where it has one; the trainer writes one"
            )
        return Answer(self.model.profiled.data)

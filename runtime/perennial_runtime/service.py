"""A loaded model in service: with its name in URLs and its monitoring."""

from typing import TYPE_CHECKING

import orjson

from perennial_contracts.wire.names import LABEL, PREDICTION, PROBABILITIES

from .engine.model import LoadedModel
from .monitoring.counter_metrics import CounterCollector
from .monitoring.monitor import Monitor
from .monitoring.monitored_model import MonitoredModel
from .protocol.perennial.prediction_id import IdMaker
from .signature import is_tabular

if TYPE_CHECKING:
    from .metrics import Metrics


class Service:
    """One model in service. Thread-safe."""

    platform = "onnxruntime_onnx"

    def __init__(self, name: str, model: LoadedModel, instance: str) -> None:
        """Create a service.

        Args:
            name: name of the model in URLs.
            model: the loaded model.
            instance: name of the process, in the counters.
        """
        self.name = name
        self.model = model
        self.is_tabular = is_tabular(model.inputs)
        self.watched: tuple[str, ...] = (LABEL, PROBABILITIES) if model.classes else ()
        """Outputs that the monitor reads, even if a request does not want them."""
        if model.is_regression:
            self.watched = (PREDICTION,)
        self.class_names = {PROBABILITIES: model.classes.names} if model.classes else {}
        """Names of the classes, by the output that has a value for each class."""
        self.ids = IdMaker(name, model.version)
        self.monitored = MonitoredModel(
            name=name,
            version=model.version,
            digest=model.digest,
            inputs=model.inputs,
            ids=self.ids,
            classes=model.classes,
            profile=model.profiled.profile if model.profiled else None,
            is_regression=model.is_regression,
        )
        self.monitor = Monitor(self.monitored, instance)

    def properties(self) -> dict[str, str]:
        """Return the properties in the model's metadata."""
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
        """Add the model and its counters to the metrics."""
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
        """Request that captured rows are written soon."""
        if self.monitor.capture:
            self.monitor.capture.flush()

    def close(self, seconds: float) -> None:
        """Write the captured rows, for at most ``seconds``."""
        if self.monitor.capture:
            self.monitor.capture.close(seconds)

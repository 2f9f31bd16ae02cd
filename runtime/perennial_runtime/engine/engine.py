"""Run the model on the requests that are present, together if that is faster."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np

from .. import log
from ..errors import ClientGoneError
from ..frontends import Call
from ..metrics import Metrics
from ..monitoring.monitor import Monitor
from ..routing import Handler, Request, Route
from . import batching
from .model import LoadedModel


@dataclass(slots=True)
class Inference:
    """One request, from its decoded body to its results."""

    call: Call
    route: Route
    handler: Handler
    request: Request
    results: Sequence[np.ndarray] = ()
    ids: Sequence[str] = ()
    error: Exception | None = None

    @property
    def rows(self) -> int:
        """Size of the first dimension; -1 if the inputs differ in it."""
        first, *others = map(len, self.request.feeds.values())
        return first if others.count(first) == len(others) else -1


@dataclass(slots=True)
class _Batch:
    """Requests that run together."""

    inferences: list[Inference] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    """Rows of each request."""
    rows: int = 0
    """Rows of all requests."""

    def add(self, inference: Inference, rows: int) -> None:
        self.inferences.append(inference)
        self.counts.append(rows)
        self.rows += rows


class Engine:
    """Runs decoded requests. Thread-safe."""

    def __init__(
        self,
        model: LoadedModel,
        monitor: Monitor,
        watched: Sequence[str],
        metrics: Metrics,
        max_rows: int,
    ) -> None:
        """Test whether to run requests together.

        Args:
            model: the model to run.
            monitor: records the results.
            watched: names of the outputs that the monitor needs.
            metrics: counts the runs.
            max_rows: maximum number of rows of a batch.
        """
        self._model = model
        self._monitor = monitor
        self._watched = watched
        self._metrics = metrics
        self._max_rows = max_rows
        self.batches = max_rows > 1 and batching.is_worthwhile(model)
        """True if requests run together."""
        self._inner_is_free = any(min((0, *t.shape[1:])) < 0 for t in model.inputs)

    def decode(self, route: Route, call: Call) -> Inference:
        """Decode a request.

        Raises:
            RequestError: if the request is invalid.
        """
        assert route.handler is not None
        return Inference(call, route, route.handler, route.handler.decode(call))

    def run(self, inferences: Sequence[Inference]) -> None:
        """Set the results of each request, or its error. An invalid one fails alone."""
        if len(inferences) == 1 or not self.batches:
            for inference in inferences:
                self._run_alone(inference)
            return
        for batch in self._group(inferences):
            if len(batch.inferences) == 1 or not self._run_together(batch):
                for inference in batch.inferences:
                    self._run_alone(inference)

    def _group(self, inferences: Sequence[Inference]) -> Iterator[_Batch]:
        """Yield batches of at most ``max_rows`` rows, from requests that fit together."""
        by_key: dict[Any, _Batch] = {}
        for inference in inferences:
            rows = inference.rows
            if rows < 1 or rows >= self._max_rows:
                yield _Batch([inference])
                continue
            key = self._key(inference.request)
            batch = by_key.get(key)
            if batch is None:
                batch = by_key[key] = _Batch()
            elif batch.rows + rows > self._max_rows:
                yield batch
                batch = by_key[key] = _Batch()
            batch.add(inference, rows)
        yield from by_key.values()

    def _key(self, request: Request) -> object:
        outputs = request.outputs if type(request.outputs) is tuple else tuple(request.outputs)
        if not self._inner_is_free:
            return outputs
        shapes = tuple((name, values.shape[1:]) for name, values in sorted(request.feeds.items()))
        return outputs, shapes

    def _run_alone(self, inference: Inference) -> None:
        if inference.call.cancelled:
            inference.error = ClientGoneError()
            return
        start_time = perf_counter()
        request = inference.request
        try:
            results = self._run(request.feeds, request.outputs)
            if inference.handler.wants_ids:
                inference.ids = self._monitor.record(request.feeds, results, with_ids=True)
            else:
                self._monitor.record(request.feeds, results)
            inference.results = [results[name] for name in request.outputs]
        except Exception as error:
            inference.error = error
        self._metrics.ran((start_time - inference.call.arrived,), perf_counter() - start_time)

    def _run_together(self, batch: _Batch) -> bool:
        """Run a batch. Return False if a request in it fails; then each must run alone."""
        start_time = perf_counter()
        inferences, wanted = batch.inferences, batch.inferences[0].request.outputs
        try:
            feeds = batching.join([inference.request.feeds for inference in inferences])
            results = self._run(feeds, wanted)
            if any(not result.ndim or len(result) != batch.rows for result in results.values()):
                self.batches = False
                log.warning("batching is disabled: an output does not have one row per input row")
                return False
            wants_ids = any(inference.handler.wants_ids for inference in inferences)
            ids = self._monitor.record(feeds, results, with_ids=wants_ids)
        except Exception:  # alone, the invalid request gets its own error
            return False
        end = 0
        for inference, count in zip(inferences, batch.counts, strict=True):
            start, end = end, end + count
            inference.results = [results[name][start:end] for name in wanted]
            if inference.handler.wants_ids:
                inference.ids = ids[start:end]
        waits = [start_time - inference.call.arrived for inference in inferences]
        self._metrics.ran(waits, perf_counter() - start_time)
        return True

    def _run(
        self, feeds: Mapping[str, np.ndarray], outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Return the requested outputs and those that the monitor needs."""
        missing = [name for name in self._watched if name not in outputs]
        names = [*outputs, *missing] if missing else outputs
        return dict(zip(names, self._model.run(feeds, names), strict=True))

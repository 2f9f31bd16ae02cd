"""Runs the model for requests that are there at the same time, together where that is quicker."""

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
from .model import Model


@dataclass(slots=True)
class Inference:
    """One request on its way through the model."""

    call: Call
    route: Route
    handler: Handler
    request: Request
    results: Sequence[np.ndarray] = ()
    ids: Sequence[str] = ()
    error: Exception | None = None

    @property
    def rows(self) -> int:
        """Extent of the first dimension; -1 where the inputs do not agree on one."""
        first, *others = map(len, self.request.feeds.values())
        return first if others.count(first) == len(others) else -1


@dataclass(slots=True)
class _Group:
    """Jobs that fit each other."""

    jobs: list[Inference] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    """The rows of each."""
    rows: int = 0
    """Of all."""

    def add(self, job: Inference, rows: int) -> None:
        self.jobs.append(job)
        self.counts.append(rows)
        self.rows += rows


class Engine:
    """Runs jobs. May be used from several threads at once."""

    def __init__(
        self,
        model: Model,
        monitor: Monitor,
        watched: Sequence[str],
        metrics: Metrics,
        max_rows: int,
    ) -> None:
        """``watched`` are outputs that the monitor needs; ``max_rows`` bounds a batch."""
        self._model = model
        self._monitor = monitor
        self._watched = watched
        self._metrics = metrics
        self._max_rows = max_rows
        self.batches = max_rows > 1 and batching.pays(model)
        """Whether requests are run together."""
        self._inner_is_free = any(min((0, *t.shape[1:])) < 0 for t in model.inputs)

    def decode(self, route: Route, call: Call) -> Inference:
        """What a call asks of the model.

        Raises:
            RequestError: where the request is wrong.
        """
        assert route.handler is not None
        return Inference(call, route, route.handler, route.handler.decode(call))

    def run(self, jobs: Sequence[Inference]) -> None:
        """Fills in the results of each job, or its error: a bad one fails alone."""
        if len(jobs) == 1 or not self.batches:
            for job in jobs:
                self._run_alone(job)
            return
        for group in self._groups(jobs):
            if len(group.jobs) == 1 or not self._run_together(group):
                for job in group.jobs:
                    self._run_alone(job)

    def _groups(self, jobs: Sequence[Inference]) -> Iterator[_Group]:
        """Jobs of at most ``max_rows`` rows together; what fits no other is alone."""
        groups: dict[Any, _Group] = {}
        for job in jobs:
            rows = job.rows
            if rows < 1 or rows >= self._max_rows:
                yield _Group([job])
                continue
            key = self._key(job.request)
            group = groups.get(key)
            if group is None:
                group = groups[key] = _Group()
            elif group.rows + rows > self._max_rows:
                yield group
                group = groups[key] = _Group()
            group.add(job, rows)
        yield from groups.values()

    def _key(self, request: Request) -> object:
        outputs = request.outputs if type(request.outputs) is tuple else tuple(request.outputs)
        if not self._inner_is_free:
            return outputs
        shapes = tuple((name, values.shape[1:]) for name, values in sorted(request.feeds.items()))
        return outputs, shapes

    def _run_alone(self, job: Inference) -> None:
        if job.call.cancelled:
            job.error = ClientGoneError()
            return
        begun = perf_counter()
        request = job.request
        try:
            results = self._run(request.feeds, request.outputs)
            if job.handler.wants_ids:
                job.ids = self._monitor.answered(request.feeds, results, with_ids=True)
            else:
                self._monitor.answered(request.feeds, results)
            job.results = [results[name] for name in request.outputs]
        except Exception as error:
            job.error = error
        self._metrics.ran((begun - job.call.arrived,), perf_counter() - begun)

    def _run_together(self, group: _Group) -> bool:
        """Whether it worked; if not, one of them is to blame, and each must be run by itself."""
        begun = perf_counter()
        jobs, wanted = group.jobs, group.jobs[0].request.outputs
        try:
            feeds = batching.joined([job.request.feeds for job in jobs])
            results = self._run(feeds, wanted)
            if any(not result.ndim or len(result) != group.rows for result in results.values()):
                self.batches = False
                log.warning("no more batches: an output has not one row for each row of the inputs")
                return False
            wants_ids = any(job.handler.wants_ids for job in jobs)
            ids = self._monitor.answered(feeds, results, with_ids=wants_ids)
        except Exception:  # run by itself, the job that is to blame will say what it is
            return False
        end = 0
        for job, count in zip(jobs, group.counts, strict=True):
            start, end = end, end + count
            job.results = [results[name][start:end] for name in wanted]
            if job.handler.wants_ids:
                job.ids = ids[start:end]
        self._metrics.ran([begun - job.call.arrived for job in jobs], perf_counter() - begun)
        return True

    def _run(
        self, feeds: Mapping[str, np.ndarray], outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """The outputs that are wanted, and those that are watched."""
        missing = [name for name in self._watched if name not in outputs]
        names = [*outputs, *missing] if missing else outputs
        return dict(zip(names, self._model.run(feeds, names), strict=True))

"""Keeps predictions and labels: a bounded queue, and a thread that writes it to files.

Serving never waits for it. What does not fit into the queue, or what the store does not take, is
dropped and counted.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Generic, TypeVar

from perennial_contracts.wire.capture import labels_folder, predictions_folder
from perennial_contracts.wire.counters import CaptureCounts
from perennial_storage.errors import StorageError
from perennial_storage.sink import Sink

from .. import log
from ..classes import Classes
from ..protocol.perennial.prediction_id import IdMaker, is_sampled
from ..signature import TensorSpec
from .drift_counters import Batch
from .parquet import Labels, Predictions, labels_file, predictions_file

Part = TypeVar("Part", Predictions, Labels)

RETRY_SECONDS = (0.5, 1.0, 2.0)
"""Waits before a file is tried again; after the last one its rows are dropped."""
DAY_MILLISECONDS = 86_400_000


class _Queue(Generic[Part]):
    """Parts that wait for the next file."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.waiting = 0
        """Rows of these parts."""
        self.rows = 0
        """And of those that are being written."""

    def put(self, part: Part) -> None:
        self.parts.append(part)
        self.waiting += len(part.ids)
        self.rows += len(part.ids)

    def take(self) -> list[Part]:
        parts, self.parts, self.waiting = self.parts, [], 0
        return parts


class Capture:
    """Captures for one model. ``add_...`` may be called from several threads at once."""

    def __init__(
        self,
        sink: Sink,
        model: str,
        version: str,
        features: Sequence[TensorSpec],
        classes: Classes | None,
        writer: str,
        *,
        maker: IdMaker | None = None,
        permille: int = 1000,
        flush_seconds: float = 60.0,
        queue_rows: int = 50_000,
    ) -> None:
        """Starts the thread.

        Args:
            sink: where the files are put.
            model: the model's name, for the folders' names.
            version: the model's, likewise.
            features: the model's inputs, a column each.
            classes: what its answers mean; None where it is no classifier.
            writer: names this process, so that no two write the same file.
            maker: makes ids for predictions that come with reserved numbers only.
            permille: how many of 1000 predictions are kept.
            flush_seconds: how often files are written.
            queue_rows: rows of either kind that may wait. A request is taken whole while there are
                fewer.
        """
        self._sink = sink
        self._model, self._version = model, version
        self._features, self._classes = features, classes
        self._writer = writer
        self._maker = maker
        self._permille = permille
        self._flush_seconds = flush_seconds
        self._limit = queue_rows
        self._changed = threading.Condition()
        self._predictions: _Queue[Predictions] = _Queue()
        self._labels: _Queue[Labels] = _Queue()
        self._is_due = self._is_closed = False
        self._files = 0
        self._counts = CaptureCounts()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    @property
    def needs_ids(self) -> bool:
        """Whether predictions must come with their ids, because these say which are kept."""
        return self._permille < 1000 or self._maker is None

    def add_predictions(self, moment: int, ids: Sequence[str | int], batch: Batch) -> None:
        """Keeps the sampled rows of a request, which was answered at ``moment`` (ms since 1970).

        The arrays must not change afterwards. ``ids`` may be numbers that were reserved for them,
        unless ``needs_ids``.
        """
        places: list[int] | None = None
        if self._permille < 1000:
            sampled = [is_sampled(str(text), self._permille) for text in ids]
            places = [place for place, is_kept in enumerate(sampled) if is_kept]
            ids = [ids[place] for place in places]
        if ids:
            self._add(self._predictions, Predictions(moment, ids, batch, places))

    def add_labels(self, moment: int, ids: Sequence[str], labels: Sequence[str]) -> None:
        """Keeps labels that came at ``moment`` (ms since 1970)."""
        if ids:
            self._add(self._labels, Labels(moment, ids, labels))

    def counts(self) -> CaptureCounts:
        """Rows of both kinds, by what became of them."""
        with self._changed:
            return self._counts.model_copy()

    def flush(self) -> None:
        """Has all that waits written now, without waiting for it."""
        with self._changed:
            self._is_due = True
            self._changed.notify()

    def close(self, seconds: float) -> None:
        """Writes all that waits, for at most some seconds, and ends the thread."""
        with self._changed:
            self._is_due = self._is_closed = True
            self._changed.notify()
        self._thread.join(max(seconds, 0))
        left = self._predictions.rows + self._labels.rows
        if left:
            log.warning("captured rows were not written in time", rows=left)

    def _add(self, queue: _Queue[Part], part: Part) -> None:
        with self._changed:
            if queue.rows >= self._limit:
                self._counts.dropped += len(part.ids)
                return
            queue.put(part)
            # Half full: the other half has room for what comes while files are written.
            if queue.waiting * 2 >= self._limit and not self._is_due:
                self._is_due = True
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_due, self._flush_seconds)
                self._is_due = False
                is_closed = self._is_closed
                predictions, labels = self._predictions.take(), self._labels.take()
            self._write(self._predictions, predictions, self._prediction_file)
            self._write(self._labels, labels, self._label_file)
            if is_closed:
                return

    def _prediction_file(self, date: str, parts: Sequence[Predictions]) -> tuple[str, bytes]:
        folder = predictions_folder(self._model, self._version, date)
        return folder, predictions_file(self._features, self._classes, parts, self._maker)

    def _label_file(self, date: str, parts: Sequence[Labels]) -> tuple[str, bytes]:
        return labels_folder(self._model, date), labels_file(parts)

    def _write(
        self,
        queue: _Queue[Part],
        parts: Sequence[Part],
        build: Callable[[str, Sequence[Part]], tuple[str, bytes]],
    ) -> None:
        """Writes a file for each day."""
        by_day: dict[int, list[Part]] = {}
        for part in parts:
            by_day.setdefault(part.time // DAY_MILLISECONDS, []).append(part)
        for day, some in by_day.items():
            rows = sum(len(part.ids) for part in some)
            date = datetime.fromtimestamp(day * DAY_MILLISECONDS / 1000, UTC).date().isoformat()
            try:
                folder, data = build(date, some)
                self._files += 1
                self._put(f"{folder}/{self._writer}-{self._files:06d}.parquet", data)
                problem = ""
            except StorageError as error:
                problem = str(error)
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"
                log.error("captured rows could not be made a file", traceback=True)
            self._settle(queue, rows, problem)

    def _put(self, path: str, data: bytes) -> None:
        for pause in RETRY_SECONDS:
            try:
                self._sink.put(path, data)
                return
            except StorageError:
                time.sleep(pause)
        self._sink.put(path, data)

    def _settle(self, queue: _Queue[Part], rows: int, problem: str) -> None:
        """Takes note of what became of some rows; tells the log where that is news."""
        with self._changed:
            before, self._counts.problem = self._counts.problem, problem
            queue.rows -= rows
            if problem:
                self._counts.dropped += rows
            else:
                self._counts.written += rows
        if problem and not before:
            log.warning("captured rows cannot be written, and are dropped", problem=problem)
        elif before and not problem:
            log.info("captured rows are written again")

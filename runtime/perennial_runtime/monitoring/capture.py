"""Write predictions and labels to files, from a bounded queue.

Requests never wait for it. Rows that do not fit into the queue, and rows that the store does not
accept, are dropped and counted.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from perennial_contracts.wire.capture import labels_folder, predictions_folder
from perennial_contracts.wire.counters import CaptureCounts
from perennial_storage.errors import StorageError
from perennial_storage.sink import Sink

from .. import log
from ..protocol.perennial.prediction_id import is_sampled
from .drift_counters import Batch
from .monitored_model import MonitoredModel
from .parquet import CapturedLabels, CapturedPredictions, labels_file, predictions_file

Part = TypeVar("Part", CapturedPredictions, CapturedLabels)

RETRY_SECONDS = (0.5, 1.0, 2.0)
"""Delays before a file is written again. After the last one its rows are dropped."""
DAY_MILLISECONDS = 86_400_000


@dataclass(frozen=True)
class CaptureSettings:
    """Limits of the capture."""

    permille: int = 1000
    """Number of predictions to keep, of 1000."""
    flush_seconds: float = 60.0
    """Time between two files."""
    queue_rows: int = 50_000
    """Number of rows that may wait, of predictions and of labels.

    A request is accepted whole while fewer rows wait.
    """


class _Queue(Generic[Part]):
    """Parts that wait for the next file."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.waiting = 0
        """Rows of these parts."""
        self.rows = 0
        """Rows of these parts and of those that are being written."""

    def put(self, part: Part) -> None:
        self.parts.append(part)
        self.waiting += len(part.ids)
        self.rows += len(part.ids)

    def take(self) -> list[Part]:
        parts, self.parts, self.waiting = self.parts, [], 0
        return parts


class CaptureWriter:
    """Writes the rows of one model to files. The ``add_...`` methods are thread-safe."""

    def __init__(
        self,
        sink: Sink,
        model: MonitoredModel,
        file_prefix: str,
        settings: CaptureSettings,
    ) -> None:
        """Start the thread.

        Args:
            sink: target of the files.
            model: its inputs become columns.
            file_prefix: id of this process, so that no two processes write the same file.
            settings: limits.
        """
        self._sink = sink
        self._model = model
        self._file_prefix = file_prefix
        self._settings = settings
        self._changed = threading.Condition()
        self._predictions: _Queue[CapturedPredictions] = _Queue()
        self._labels: _Queue[CapturedLabels] = _Queue()
        self._is_due = self._is_closed = False
        self._files = 0
        self._counts = CaptureCounts()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    @property
    def needs_ids(self) -> bool:
        """True if predictions need their ids at once, because these decide which are kept."""
        return self._settings.permille < 1000

    def add_predictions(self, moment: int, ids: Sequence[str | int], batch: Batch) -> None:
        """Keep the sampled rows of a request.

        Args:
            moment: time of the answer, in milliseconds since 1970.
            ids: ids of the rows, or numbers that are reserved for them unless ``needs_ids``.
            batch: the rows. The arrays must not change afterwards.
        """
        kept: list[int] | None = None
        permille = self._settings.permille
        if permille < 1000:
            kept = [row for row, text in enumerate(ids) if is_sampled(str(text), permille)]
            ids = [ids[row] for row in kept]
        if ids:
            self._add(self._predictions, CapturedPredictions(moment, ids, batch, kept))

    def add_labels(self, moment: int, ids: Sequence[str], labels: Sequence[str]) -> None:
        """Keep labels that arrived at ``moment``, in milliseconds since 1970."""
        if ids:
            self._add(self._labels, CapturedLabels(moment, ids, labels))

    def counts(self) -> CaptureCounts:
        """Return the numbers of rows that were written and dropped, of both kinds."""
        with self._changed:
            return self._counts.model_copy()

    def flush(self) -> None:
        """Start to write all waiting rows, and return at once."""
        with self._changed:
            self._is_due = True
            self._changed.notify()

    def close(self, seconds: float) -> None:
        """Write all waiting rows, for at most ``seconds``, and end the thread."""
        with self._changed:
            self._is_due = self._is_closed = True
            self._changed.notify()
        self._thread.join(max(seconds, 0))
        left = self._predictions.rows + self._labels.rows
        if left:
            log.warning("captured rows were not written in time", rows=left)

    def _add(self, queue: _Queue[Part], part: Part) -> None:
        limit = self._settings.queue_rows
        with self._changed:
            if queue.rows >= limit:
                self._counts.dropped += len(part.ids)
                return
            queue.put(part)
            # Write at half full: the other half has room for rows that arrive meanwhile.
            if queue.waiting * 2 >= limit and not self._is_due:
                self._is_due = True
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_due, self._settings.flush_seconds)
                self._is_due = False
                is_closed = self._is_closed
                predictions, labels = self._predictions.take(), self._labels.take()
            self._write(self._predictions, predictions, self._prediction_file)
            self._write(self._labels, labels, self._label_file)
            if is_closed:
                return

    def _prediction_file(
        self, date: str, parts: Sequence[CapturedPredictions]
    ) -> tuple[str, bytes]:
        model = self._model
        folder = predictions_folder(model.name, model.version, date)
        return folder, predictions_file(model.inputs, model.classes, parts, model.ids)

    def _label_file(self, date: str, parts: Sequence[CapturedLabels]) -> tuple[str, bytes]:
        return labels_folder(self._model.name, date), labels_file(parts)

    def _write(
        self,
        queue: _Queue[Part],
        parts: Sequence[Part],
        build: Callable[[str, Sequence[Part]], tuple[str, bytes]],
    ) -> None:
        """Write a file for each day."""
        by_day: dict[int, list[Part]] = {}
        for part in parts:
            by_day.setdefault(part.time // DAY_MILLISECONDS, []).append(part)
        for day, some in by_day.items():
            rows = sum(len(part.ids) for part in some)
            date = datetime.fromtimestamp(day * DAY_MILLISECONDS / 1000, UTC).date().isoformat()
            try:
                folder, data = build(date, some)
                self._files += 1
                self._put(f"{folder}/{self._file_prefix}-{self._files:06d}.parquet", data)
                problem = ""
            except StorageError as error:
                problem = str(error)
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"
                log.error("cannot convert captured rows to Parquet", traceback=True)
            self._record(queue, rows, problem)

    def _put(self, path: str, data: bytes) -> None:
        for pause in RETRY_SECONDS:
            try:
                self._sink.put(path, data)
                return
            except StorageError:
                time.sleep(pause)
        self._sink.put(path, data)

    def _record(self, queue: _Queue[Part], rows: int, problem: str) -> None:
        """Count rows as written or dropped. Log the first failure and the first success."""
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

"""Record the requests and results of a model, and the labels for them."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial_contracts.wire.counters import CaptureCounts, Counters
from perennial_contracts.wire.names import LABEL, PREDICTION, PROBABILITIES

from ..classes import score_bin
from ..protocol.perennial.prediction_id import NO_BIN, NO_CLASS, PredictionId
from ..signature import is_tabular
from .drift_counters import Batch, DriftCounters
from .feedback_counts import FeedbackCounts
from .monitored_model import MonitoredModel

if TYPE_CHECKING:  # it imports Arrow, which is only needed to capture
    from .capture import CaptureWriter

_NONE: Mapping[str, np.ndarray] = {}


class Monitor:
    """Counters and capture of one model. Thread-safe."""

    def __init__(self, model: MonitoredModel, instance: str) -> None:
        """Start at zero. Processes with the same ``instance`` add up their counters."""
        self.capture: CaptureWriter | None = None
        """Set if predictions and labels are captured."""
        self.capture_problem = ""
        """Reason if they are not captured although that is configured."""
        self.instance = instance
        self._model = model
        inputs, profile, classes = model.inputs, model.profile, model.classes
        self._names = [tensor.name for tensor in inputs]
        self._is_tabular = is_tabular(inputs)
        # Tensors that are not features are not kept until they are counted: images would fill the
        # memory.
        self._columns = [feature.name for feature in profile.features] if profile else []
        self._answers_rows = bool(inputs) and all(
            tensor.shape and tensor.shape[0] < 0 for tensor in inputs
        )
        self._classes = classes
        self._is_regression = model.is_regression
        self._class_indices = (
            {name: index for index, name in enumerate(classes.names[:NO_CLASS])} if classes else {}
        )
        self._ids = model.ids
        self._drift = DriftCounters(profile, classes, self._names)
        self._feedback = FeedbackCounts(classes)

    def record(
        self,
        feeds: Mapping[str, np.ndarray],
        results: Mapping[str, np.ndarray],
        *,
        with_ids: bool = False,
    ) -> Sequence[str]:
        """Count and capture an answered request.

        Args:
            feeds: inputs of the model. They must not change afterwards.
            results: outputs of the model: at least ``label`` and ``probabilities`` of a classifier,
                or ``prediction`` of a regression model.
            with_ids: whether to return prediction ids.

        Returns:
            An id for each row, if requested.
        """
        rows = self._rows(feeds)
        batch = self._batch(rows, feeds, results) if self._answers_rows else None
        if batch is None:
            self._drift.add_rows(rows)
        else:
            self._drift.add(batch)
        capture = self.capture if batch is not None else None
        if not with_ids and capture is None:
            return ()
        moment = time.time_ns() // 1_000_000
        ids: Sequence[str] = ()
        if with_ids or (capture is not None and capture.needs_ids):
            ids = self._ids.make(moment, self._answers(rows, batch))
        if capture is not None and batch is not None:
            capture.add_predictions(moment, ids or self._ids.reserve(rows), batch)
        return ids

    def record_labels(
        self, ids: Sequence[str], predictions: Iterable[PredictionId], labels: Sequence[str]
    ) -> None:
        """Count and capture labels. Only labels of this model version are counted."""
        for prediction, label in zip(predictions, labels, strict=True):
            if prediction.version == self._model.version:
                self._feedback.add(prediction, label)
        if self.capture is not None:
            self.capture.add_labels(time.time_ns() // 1_000_000, ids, labels)

    def counters(self) -> Counters:
        """Return all counts so far."""
        drift = self._drift.read()
        labels, matrix, scores = self._feedback.read()
        capture = self.capture.counts() if self.capture else None
        if self.capture_problem:
            capture = CaptureCounts(problem=self.capture_problem)
        return Counters(
            instance=self.instance,
            digest=self._model.digest,
            rows=drift.rows,
            features=drift.features,
            score=drift.score,
            label=drift.label,
            labels=labels,
            matrix=matrix,
            scores=scores,
            capture=capture,
        )

    def _rows(self, feeds: Mapping[str, np.ndarray]) -> int:
        """Return the number of predictions in a request; 1 if the model takes no batches."""
        inputs = self._model.inputs
        if not inputs or not inputs[0].shape or inputs[0].shape[0] >= 0:
            return 1
        return len(feeds[inputs[0].name])

    def _batch(
        self, rows: int, feeds: Mapping[str, np.ndarray], results: Mapping[str, np.ndarray]
    ) -> Batch | None:
        """Return the request as rows; None if its tensors differ in the number of rows."""
        for values in feeds.values():
            if len(values) != rows:
                return None
        row: tuple[Any, ...] | None = None
        if not self._is_tabular:
            feeds = {name: feeds[name] for name in self._columns}
        elif rows == 1 and self.capture is not None:
            row, feeds = tuple([feeds[name].item() for name in self._names]), _NONE
        if self._is_regression:
            numbers = results[PREDICTION]
            return Batch(rows, feeds, None, None, numbers, row) if len(numbers) == rows else None
        if self._classes is None:
            return Batch(rows, feeds, None, None, None, row)
        label, probabilities = results[LABEL], results[PROBABILITIES]
        if len(label) != rows or probabilities.shape != (rows, len(self._classes.names)):
            return None
        return Batch(rows, feeds, label, probabilities, None, row)

    def _answers(self, rows: int, batch: Batch | None) -> Iterable[tuple[int, int]]:
        """Return the class index and the score bin of each row."""
        if self._classes is None or batch is None:
            return [(NO_CLASS, NO_BIN)] * rows
        assert batch.label is not None
        assert batch.probabilities is not None
        classes, indices, probabilities = self._classes, self._class_indices, batch.probabilities
        if rows == 1 and probabilities.size:  # most requests; arrays with one value are slow
            positive = classes.positive
            score = float(probabilities.max() if positive is None else probabilities[0, positive])
            return [(indices.get(str(classes.own(batch.label)[0]), NO_CLASS), score_bin(score))]
        return [
            (indices.get(str(label), NO_CLASS), score_bin(score))
            for label, score in zip(
                classes.own(batch.label), classes.scores(probabilities).tolist(), strict=True
            )
        ]

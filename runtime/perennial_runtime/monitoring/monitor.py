"""Watches a model at work: what it was asked and answered, and the labels that came back."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial_contracts.wire.counters import CaptureCounts, Counters
from perennial_contracts.wire.names import LABEL, PREDICTION, PROBABILITIES
from perennial_contracts.wire.profile import Profile

from ..classes import Classes, score_bin
from ..protocol.perennial.prediction_id import NO_BIN, NO_CLASS, IdMaker, PredictionId
from ..signature import TensorSpec, is_tabular
from .drift_counters import Batch, DriftCounters
from .feedback_counts import FeedbackCounts

if TYPE_CHECKING:  # it brings Arrow, which only those need who capture
    from .capture import Capture

_NONE: Mapping[str, np.ndarray] = {}


class Monitor:
    """Counts and captures for one model. May be used from several threads at once."""

    def __init__(
        self,
        instance: str,
        digest: str,
        inputs: Sequence[TensorSpec],
        classes: Classes | None,
        profile: Profile | None,
        ids: IdMaker,
        version: str,
        *,
        is_regression: bool = False,
    ) -> None:
        """``instance`` names the process; ``ids`` are made for this model and ``version``."""
        self.capture: Capture | None = None
        """Set where predictions and labels are kept."""
        self.capture_problem = ""
        """Why they are not, though they should be."""
        self.instance = instance
        self._digest = digest
        self._inputs = inputs
        self._names = [tensor.name for tensor in inputs]
        self._is_tabular = is_tabular(inputs)
        # Tensors that are no features are not set aside to be counted: images would fill memory.
        self._columns = [feature.name for feature in profile.features] if profile else []
        self._answers_rows = bool(inputs) and all(
            tensor.shape and tensor.shape[0] < 0 for tensor in inputs
        )
        self._classes = classes
        self._is_regression = is_regression
        self._places = (
            {name: place for place, name in enumerate(classes.names[:NO_CLASS])} if classes else {}
        )
        self._ids = ids
        self._version = version
        self._drift = DriftCounters(profile, classes, self._names)
        self._feedback = FeedbackCounts(classes)

    def answered(
        self,
        feeds: Mapping[str, np.ndarray],
        results: Mapping[str, np.ndarray],
        *,
        with_ids: bool = False,
    ) -> Sequence[str]:
        """Takes note of a request that was answered.

        Args:
            feeds: the model's inputs. They must not change afterwards.
            results: its outputs, ``label`` and ``probabilities`` of a classifier among them, or
                ``prediction`` of a model of numbers.
            with_ids: whether the caller wants to know the predictions' ids.

        Returns:
            An id for each row, where they were wanted.
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

    def labelled(
        self, ids: Sequence[str], predictions: Iterable[PredictionId], labels: Sequence[str]
    ) -> None:
        """Takes note of the true labels of predictions, of whatever version of the model."""
        for prediction, label in zip(predictions, labels, strict=True):
            if prediction.version == self._version:
                self._feedback.add(prediction, label)
        if self.capture is not None:
            self.capture.add_labels(time.time_ns() // 1_000_000, ids, labels)

    def counters(self) -> Counters:
        """All that was counted so far."""
        tallied = self._drift.read()
        labels, matrix, scores = self._feedback.read()
        capture = self.capture.counts() if self.capture else None
        if self.capture_problem:
            capture = CaptureCounts(problem=self.capture_problem)
        return Counters(
            instance=self.instance,
            digest=self._digest,
            rows=tallied.rows,
            features=tallied.features,
            score=tallied.score,
            label=tallied.label,
            labels=labels,
            matrix=matrix,
            scores=scores,
            capture=capture,
        )

    def _rows(self, feeds: Mapping[str, np.ndarray]) -> int:
        """How many predictions a request asks for: one, where the model takes no batches."""
        if not self._inputs or not self._inputs[0].shape or self._inputs[0].shape[0] >= 0:
            return 1
        return len(feeds[self._inputs[0].name])

    def _batch(
        self, rows: int, feeds: Mapping[str, np.ndarray], results: Mapping[str, np.ndarray]
    ) -> Batch | None:
        """The request as rows; None where its tensors are not as many of one another's."""
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
        """Class index and score bin of each row."""
        if self._classes is None or batch is None:
            return [(NO_CLASS, NO_BIN)] * rows
        assert batch.label is not None
        assert batch.probabilities is not None
        classes, places, probabilities = self._classes, self._places, batch.probabilities
        if rows == 1 and probabilities.size:  # most requests; arrays of one value are slow to use
            positive = classes.positive
            score = float(probabilities.max() if positive is None else probabilities[0, positive])
            return [(places.get(str(classes.own(batch.label)[0]), NO_CLASS), score_bin(score))]
        return [
            (places.get(str(label), NO_CLASS), score_bin(score))
            for label, score in zip(
                classes.own(batch.label), classes.scores(probabilities).tolist(), strict=True
            )
        ]

"""Counts of labels by their prediction: a confusion matrix, and scores."""

from collections import OrderedDict
from threading import Lock

import numpy as np

from perennial_contracts.stats.quality import SCORE_BINS

from ..classes import Classes
from ..protocol.perennial.prediction_id import PredictionId

REMEMBERED_IDS = 100_000
"""Number of recent ids with a label. Another label for one of them is not counted."""


class FeedbackCounts:
    """The confusion matrix, and the scores by label. Thread-safe."""

    def __init__(self, classes: Classes | None) -> None:
        self._classes = classes
        size = len(classes.names) if classes else 0
        has_scores = classes is not None and classes.positive is not None
        self._lock = Lock()
        self._labels = 0
        self._matrix = np.zeros((size, size), np.int64)
        self._scores = np.zeros((2 if has_scores else 0, SCORE_BINS), np.int64)
        self._counted: OrderedDict[int, None] = OrderedDict()

    def add(self, prediction: PredictionId, label: str) -> None:
        """Count the label of a prediction of this model version, if it is the first one."""
        classes = self._classes
        truth = classes.index(label) if classes else None
        with self._lock:
            if prediction.key in self._counted:
                return
            self._counted[prediction.key] = None
            if len(self._counted) > REMEMBERED_IDS:
                self._counted.popitem(last=False)
            self._labels += 1
            if classes is None or truth is None:
                return
            predicted = prediction.class_index
            if predicted is not None and predicted < len(classes.names):
                self._matrix[predicted, truth] += 1
            if classes.positive is not None and prediction.score_bin is not None:
                self._scores[int(truth == classes.positive), prediction.score_bin] += 1

    def read(self) -> tuple[int, list[list[int]], list[list[int]]]:
        """Return the number of labels, the matrix and the scores, in the form of Counters."""
        with self._lock:
            return self._labels, self._matrix.tolist(), self._scores.tolist()

"""The files of captured predictions and of the labels that came back: Parquet, in Hive partitions.

``URI/predictions/model=NAME/version=V/date=YYYY-MM-DD/*.parquet`` has a column for each feature
and those below; ``URI/labels/model=NAME/date=YYYY-MM-DD/*.parquet`` has PREDICTION_ID, LABEL and
TIME. Of several labels for one prediction the latest counts. A file appears whole or not at all.
"""

PREDICTION_ID = "_prediction_id"
"""String."""
TIME = "_time"
"""Timestamp, milliseconds, UTC: when the prediction was made, or when the label came."""
LABEL = "_label"
"""String: the predicted label, or the true one; of a model of numbers the number as text."""
SCORE = "_score"
"""Float: see :func:`~perennial_contracts.stats.quality.score_of`; a regressor's number."""

COLUMNS = (PREDICTION_ID, TIME, LABEL, SCORE)
"""Names that a feature cannot have."""


def predictions_folder(model: str, version: str, date: str) -> str:
    """Where predictions of a day lie, below the capture's URI."""
    return f"predictions/model={model}/version={version}/date={date}"


def labels_folder(model: str, date: str) -> str:
    """Where labels of a day lie, below the capture's URI."""
    return f"labels/model={model}/date={date}"

"""Parquet files of captured predictions and of labels, in Hive partitions.

``URI/predictions/model=NAME/version=V/date=YYYY-MM-DD/*.parquet`` has a column for each feature
and the columns below; ``URI/labels/model=NAME/date=YYYY-MM-DD/*.parquet`` has PREDICTION_ID, LABEL
and TIME. Of several labels for one prediction, the latest counts. Files appear atomically.
"""

PREDICTION_ID = "_prediction_id"
"""String."""
TIME = "_time"
"""Timestamp, milliseconds, UTC: time of the prediction, or of the arrival of the label."""
LABEL = "_label"
"""String: the predicted or the true label; for a regressor the number as text."""
SCORE = "_score"
"""Float: see :func:`~perennial_contracts.stats.quality.score_of`; for a regressor the number."""

COLUMNS = (PREDICTION_ID, TIME, LABEL, SCORE)
"""Reserved column names; a feature cannot have them."""


def predictions_folder(model: str, version: str, date: str) -> str:
    """Return the folder of a day's predictions, relative to the capture URI."""
    return f"predictions/model={model}/version={version}/date={date}"


def labels_folder(model: str, date: str) -> str:
    """Return the folder of a day's labels, relative to the capture URI."""
    return f"labels/model={model}/date={date}"

"""The table of ``data.baseline``: rows from before the model was served."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from perennial_contracts.wire.modelcard import TaskName
from perennial_contracts.wire.run_plan import TrainingFailure
from perennial_storage.folder import Folder
from perennial_storage.uris import split, without_secrets

from ..errors import StepError, reading_data
from . import tables
from .features import Feature, clean, list_columns
from .labels import clean_truth
from .rows import LabelledRows

FIELD = "data.baseline"


@dataclass(frozen=True)
class BaselineTable:
    """The table as it was read."""

    uri: str
    """For messages, without secrets."""
    table: pd.DataFrame
    label: str

    def rows(self, features: Sequence[Feature], task: TaskName) -> LabelledRows:
        """Return the clean rows.

        Raises:
            StepError: DataUnreadable.
        """
        return LabelledRows(
            clean(self.table, features, self.uri),
            clean_truth(self.table[self.label], self.label, self.uri, task),
        )


def fetch(uri: str, label: str, scratch: Path, retry_seconds: float) -> BaselineTable:
    """Fetch and read the table.

    Raises:
        StorageError: AccessDenied or StoreUnreachable.
        StepError: DataUnreadable.
    """
    folder, name = split(uri)
    target = scratch / "baseline.parquet"
    with reading_data():
        Folder(folder, FIELD, retry_seconds).download(name, target)
    shown = without_secrets(uri)
    table = tables.read(target, shown)
    target.unlink()
    if label not in table.columns:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"expected a column {label} (data.label), got {list_columns(table)}",
            field=shown,
        )
    return BaselineTable(shown, table, label)

"""Clean rows with their labels, and the digest of their contents."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class LabelledRows:
    """Clean rows and their labels, in the order of time."""

    frame: pd.DataFrame
    labels: np.ndarray
    times: "pd.Series[pd.Timestamp] | None" = None
    """Times of the predictions; None for rows that were not captured."""

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, key: "slice | np.ndarray") -> "LabelledRows":
        times = None if self.times is None else self.times.iloc[key].reset_index(drop=True)
        frame = self.frame.iloc[key].reset_index(drop=True)
        return LabelledRows(frame, self.labels[key], times)

    def table(self, label: str) -> pd.DataFrame:
        """Return the features and, after them, the label."""
        return self.frame.assign(**{label: self.labels})


@dataclass(frozen=True)
class CapturedRows:
    """Captured rows that a model can learn."""

    rows: LabelledRows
    left_out: int
    """Rows whose label no model can learn."""


def digest_rows(frames: Iterable[pd.DataFrame]) -> str:
    """Return the digest of the contents of tables, independent of their files.

    SHA-256 over the name, kind and values of each column: float32 or int64 in little-endian order
    with one NaN, texts as UTF-8, each after its length.
    """
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(f"{len(frame)} rows".encode())
        for name in frame.columns:
            values = frame[name].to_numpy()
            if values.dtype.kind == "f":
                data = np.where(np.isnan(values), np.nan, values).astype("<f4").tobytes()
            elif values.dtype.kind in "iu":
                data = values.astype("<i8").tobytes()
            else:
                encoded = [str(value).encode() for value in values]
                data = b"".join(len(text).to_bytes(8, "little") + text for text in encoded)
            title = str(name).encode()
            digest.update(len(title).to_bytes(8, "little") + title + values.dtype.kind.encode())
            digest.update(data)
    return f"sha256:{digest.hexdigest()}"

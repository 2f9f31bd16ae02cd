"""Captured files in the layout of the contract, and a champion."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from perennial_contracts.api.retrainjob import TrainingData
from perennial_contracts.api.search import Gate, Search
from perennial_contracts.api.trigger import Trigger
from perennial_contracts.wire.capture import labels_folder, predictions_folder
from perennial_contracts.wire.run_plan import Model, Plan

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
MODEL = "delays"
_numbers = itertools.count()


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write Parquet with times as TIMESTAMP_MS with a time zone, as the capture does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("frame", frame)
        columns = ", ".join(
            f'CAST("{name}" AS TIMESTAMPTZ) AS "{name}"' if name == "_time" else f'"{name}"'
            for name in frame.columns
        )
        connection.execute(f"COPY (SELECT {columns} FROM frame) TO '{path}' (FORMAT parquet)")


def capture(
    root: Path,
    rows: pd.DataFrame,
    truth: "Sequence[object] | None" = None,
    *,
    start: datetime = NOW - timedelta(days=10),
    step: timedelta = timedelta(minutes=2),
    prefix: str = "p",
    delay: timedelta = timedelta(hours=1),
    model: str = MODEL,
    version: str = "abc",
) -> list[str]:
    """Write predictions of rows, one each step, and their labels; return the ids.

    Args:
        root: the capture's folder.
        rows: the features.
        truth: a label for each row; None, and rows where it is None, have none.
        start: time of the first prediction.
        step: time between predictions.
        prefix: prefix of the ids.
        delay: time from a prediction to its label.
        model: the name of the ModelDeployment.
        version: version of the model.
    """
    ids = [f"{prefix}{index}" for index in range(len(rows))]
    times = [start + index * step for index in range(len(rows))]
    frame = rows.reset_index(drop=True).assign(
        _prediction_id=ids,
        _time=pd.to_datetime(times, utc=True).tz_localize(None),
        _label="0",
        _score=np.float32(0.5),
    )
    for day, part in frame.groupby(frame["_time"].dt.strftime("%Y-%m-%d")):
        write_parquet(
            part, root / predictions_folder(model, version, day) / f"{next(_numbers)}.parquet"
        )
    if truth is not None:
        put_labels(
            root,
            [
                (name, time + delay, label)
                for name, time, label in zip(ids, times, truth, strict=True)
                if label is not None
            ],
            model=model,
        )
    return ids


def put_labels(
    root: Path, labels: Sequence[tuple[str, datetime, object]], *, model: str = MODEL
) -> None:
    """Write labels: prediction id, time, value."""
    frame = pd.DataFrame(
        {
            "_prediction_id": [name for name, _, _ in labels],
            "_time": pd.to_datetime([time for _, time, _ in labels], utc=True).tz_localize(None),
            "_label": [str(label) for _, _, label in labels],
        }
    )
    for day, part in frame.groupby(frame["_time"].dt.strftime("%Y-%m-%d")):
        write_parquet(part, root / labels_folder(model, day) / f"{next(_numbers)}.parquet")


def make_plan(output: Path | str, **changes) -> Plan:
    """Return a plan with a quick search; ``changes`` are merged into it."""
    data = {"label": "late", "minRows": 50, **changes.pop("data", {})}
    search = {"candidates": ["Logistic"], "maxTrials": 1, "metric": "roc_auc"}
    gate = {"metric": "roc_auc", **changes.pop("gate", {})}
    return Plan(
        **{
            "namespace": "default",
            "model": MODEL,
            "job": "delays-1",
            "trigger": Trigger(type="Drift", message="wind has moved"),
            "data": TrainingData(**data),
            "search": Search(**{**search, **changes.pop("search", {})}),
            "gate": Gate(**gate),
            "output": str(output),
            "now": NOW.isoformat().replace("+00:00", "Z"),
            **changes,
        }
    )


def put_bundle(folder: Path, files: dict[str, bytes], digest: str) -> Model:
    """Write a bundle, and return its entry in a plan."""
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return Model(uri=f"{folder}/", digest=digest)

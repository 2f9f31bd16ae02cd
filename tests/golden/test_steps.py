"""Files between the steps of a run, from captured rows to a bundle."""

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from golden.record import check
from support.capturing import capture, make_plan, write_parquet

from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.run_plan import PLAN_VARIABLE, Model
from perennial_trainer.cli import main

FREE = frozenset({"params", "labels", "environment", "budget", "quality"})
"""Objects whose keys are names of classes, settings and packages."""


def rows(count: int, seed: int, drift: float = 0.0) -> pd.DataFrame:
    """Return rows that are late by wind and carrier; after drift, by wind alone."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "wind": random.normal(size=count).astype(np.float32),
            "carrier": random.choice(["AA", "UA"], count),
            "hour": random.integers(0, 24, count),
        }
    )
    push = (1 - drift) * 2 * (frame["carrier"] == "AA") - drift * 2 * frame["wind"]
    return frame.assign(late=(frame["wind"] + push > 0.5).astype(int))


def outline(value: Any, name: str = "") -> Any:
    """Return the keys of a JSON document with the types of its values."""
    if isinstance(value, dict) and name in FREE:
        return {"*": sorted({str(outline(each)) for each in value.values()})}
    if isinstance(value, dict):
        return {key: outline(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [json.loads(text) for text in sorted({json.dumps(outline(v)) for v in value})]
    return "number" if isinstance(value, float) else type(value).__name__


def described(folder: Path) -> dict[str, Any]:
    """Return the outline of each file below a folder, by its path there."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".json":
            found[name] = outline(json.loads(path.read_text()))
        elif path.suffix == ".parquet":
            with duckdb.connect() as connection:
                relation = connection.sql(f"SELECT * FROM '{path}'")
                found[name] = [
                    list(map(str, pair))
                    for pair in zip(relation.columns, relation.types, strict=True)
                ]
        elif path.is_file():
            found[name] = "file"
    return found


def test_each_step_leaves_the_files_that_were_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_parquet(rows(600, 1), tmp_path / "base.parquet")
    first = tmp_path / "first"
    fit = ["--candidates=Logistic", "--max-trials=1", "--label=late", f"--out={first}"]
    assert main(["fit", f"--data={tmp_path / 'base.parquet'}", *fit]) == 0

    moved = rows(900, 2, drift=0.8)
    capture(tmp_path / "captured", moved.drop(columns="late"), moved["late"].tolist())
    digest = digest_of((first / "bundle.json").read_bytes())
    plan = make_plan(
        tmp_path / "out",
        champion=Model(uri=f"{first}/", digest=digest),
        captured=str(tmp_path / "captured"),
        data={"baseline": str(tmp_path / "base.parquet"), "minRows": 100},
        gate={"maxRegressionPermille": 900},
    )
    monkeypatch.setenv(PLAN_VARIABLE, plan.model_dump_json(exclude_none=True))
    found: dict[str, Any] = {"fit": described(first)}
    message = tmp_path / "message"
    for step in ("assemble", "train", "judge"):
        folders = [f"--{each}={tmp_path / each}" for each in ("input", "holdout", "output")]
        assert main([step, *folders, f"--termination-message-path={message}"]) == 0
    for name in ("input", "holdout", "output"):
        found[name] = described(tmp_path / name)
    (published,) = (tmp_path / "out").iterdir()
    found["published"] = described(published)
    result = json.loads(message.read_text())
    assert result["challenger"]["uri"] == f"{published}/"
    assert published.name == result["challenger"]["digest"][7:19]
    found["message"] = outline(result)
    check("steps", found)

"""Stages of prepare, each as the Job runs it, and a pipeline to prepare."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from perennial_contracts.wire.outcome import Outcome
from perennial_contracts.wire.prepare_plan import Preparation
from perennial_trainer.settings import PrepareSettings


def settings(root: Path, step: str = "fetch") -> PrepareSettings:
    """Return the settings of a stage, with folders below ``root``."""
    for name in ("input", "output"):
        (root / name).mkdir(exist_ok=True)
    return PrepareSettings(step, root / "input", root / "output", None, retry_seconds=0.1)


def plan(root: Path, uri: str | Path, **more: Any) -> Preparation:
    """Return a plan that publishes into a folder below ``root``."""
    return Preparation(name="default/delays", uri=str(uri), output=str(root / "store"), **more)


def run_stage(root: Path, preparation: Preparation, name: str) -> tuple[int, Outcome | None, str]:
    """Run a stage in a process; return its exit code, outcome and log."""
    message = root / "message"
    message.unlink(missing_ok=True)
    settings(root)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "perennial_trainer", "prepare", "--step", name),
            *("--input", root / "input", "--output", root / "output"),
            *("--termination-message-path", message),
        ],
        env={**os.environ, "PERENNIAL_PLAN": preparation.model_dump_json()},
        capture_output=True,
        text=True,
        check=False,
    )
    outcome = Outcome.from_text(message.read_text()) if message.exists() else None
    return done.returncode, outcome, done.stderr + done.stdout


def convert_model(root: Path, model: Any, **more: Any) -> Path:
    """Run the first two stages on a model; return the folder of its bundle."""
    skops.io.dump(model, root / "model.skops")
    preparation = plan(root, root / "model.skops", **more)
    for stage in ("fetch", "convert"):
        code, _, log = run_stage(root, preparation, stage)
        assert code == 0, log
    return root / "output"


def pipeline() -> tuple[Any, pd.DataFrame, np.ndarray]:
    """Return a fitted classifier of two numbers and a text, its rows and their truth."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "wind": random.normal(size=300).astype(np.float32),
            "delay": random.normal(size=300).astype(np.float32),
            "carrier": random.choice(["AA", "UA"], 300).astype(object),
        }
    )
    truth = (frame["wind"] + (frame["carrier"] == "AA") > 0).astype(int).to_numpy()
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["wind", "delay"]),
            ("texts", OneHotEncoder(handle_unknown="ignore"), ["carrier"]),
        ]
    )
    return make_pipeline(columns, LogisticRegression()).fit(frame, truth), frame, truth

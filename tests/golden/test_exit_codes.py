"""Exit codes and termination messages, which operator and kubelet read."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from golden.record import DATA, check
from support.capturing import make_plan
from support.runtime import without_settings

from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.run_plan import PLAN_VARIABLE, Model
from perennial_trainer.cli import main

NOWHERE = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "a",
    "AWS_SECRET_ACCESS_KEY": "b",
}


def silent(text: str) -> Any:
    """Return a termination message without its text for people."""
    return {k: v for k, v in json.loads(text).items() if k != "message"} if text else None


def test_the_runtime_resolves_with_the_codes_that_were_recorded(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.onnx").write_bytes(b"\x08\x08broken")
    (tmp_path / "model.txt").write_text("tree\nversion=v4\nnum_class=1\n")
    other = "sha256:" + "0" * 64
    calls: dict[str, list[str]] = {
        "found": ["resolve", str(DATA / "models" / "flights")],
        "mismatch": ["resolve", str(DATA / "models" / "flights"), "--digest", other],
        "missing": ["resolve", str(tmp_path / "empty") + "/"],
        "broken": ["resolve", str(tmp_path / "broken.onnx")],
        "raw": ["resolve", str(tmp_path / "model.txt")],
        "unreachable": ["resolve", "s3://models/1/", "--retry-seconds", "0"],
        "usage": ["resolve", "x", "--threads", "none"],
    }
    started = {}
    for name, arguments in calls.items():
        path = str(tmp_path / f"{name}.message")
        started[name] = subprocess.Popen(
            [sys.executable, "-m", "perennial_runtime", *arguments],
            env=without_settings() | NOWHERE | {"PERENNIAL_TERMINATION_MESSAGE_PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    found = {}
    for name, process in started.items():
        printed, _ = process.communicate(timeout=60)
        message = tmp_path / f"{name}.message"
        left = message.read_text() if message.exists() else ""
        assert printed.strip() == left
        found[name] = {"code": process.returncode, "message": silent(left)}
    check("runtime_exits", found)


def test_the_trainer_ends_with_the_codes_that_were_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = DATA / "models" / "flights"
    digest = digest_of((folder / "bundle.json").read_bytes())
    champion = Model(uri=f"{folder}/", digest=digest)
    unreachable = make_plan(tmp_path, champion=champion, captured="s3://models/capture/")
    empty = make_plan(tmp_path, champion=champion, captured=str(tmp_path))
    plans: dict[str, tuple[str, str]] = {
        "no plan": ("assemble", ""),
        "bad plan": ("judge", "{}"),
        "nothing captured": ("assemble", _text(empty)),
        "unreachable": ("assemble", _text(unreachable)),
        "no rows": ("train", _text(unreachable)),
    }
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    found = {}
    for name, (step, plan) in plans.items():
        monkeypatch.setenv(PLAN_VARIABLE, plan)
        message = tmp_path / f"{name}.message"
        folders = [f"--{each}={tmp_path / each}" for each in ("input", "holdout", "output")]
        flags = ["--retry-seconds=0", f"--termination-message-path={message}"]
        code = main([step, *folders, *flags])
        found[name] = {"code": code, "message": silent(message.read_text())}
    check("trainer_exits", found)


def _text(plan: Any) -> str:
    text: str = plan.model_dump_json(exclude_none=True)
    return text

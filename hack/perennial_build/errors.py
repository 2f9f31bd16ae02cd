"""The exception for errors that a user can fix."""

from __future__ import annotations

from pathlib import Path

SHOWN_LOG_LINES = 30


class ReportedError(Exception):
    """An error that a user can fix. Commands print its text without a traceback."""


def with_log(message: str, log: Path) -> ReportedError:
    """Return an error with a message and the last lines of a log."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    shown = "\n".join(f"    {line}" for line in lines[-SHOWN_LOG_LINES:]) or "    (empty)"
    return ReportedError(f"{message}\nThe end of {log}:\n{shown}")

"""The one exception that a person is meant to read."""

from __future__ import annotations

from pathlib import Path

SHOWN_LOG_LINES = 30


class ReportedError(Exception):
    """Something a person can act on: the command line prints its text, without a traceback."""


def with_log(message: str, log: Path) -> ReportedError:
    """Add the end of a log to a message: most failures are explained by their last lines."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    shown = "\n".join(f"    {line}" for line in lines[-SHOWN_LOG_LINES:]) or "    (empty)"
    return ReportedError(f"{message}\nThe end of {log}:\n{shown}")

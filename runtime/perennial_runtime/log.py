"""Logs on standard error: one JSON object a line, or plain lines where a person is watching."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

LOG = logging.getLogger("perennial")
_always: dict[str, Any] = {}


class JsonFormatter(logging.Formatter):
    """``{"time", "level", "message"}`` and the fields given as ``extra={"fields": {...}}``."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **_always,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


class TextFormatter(logging.Formatter):
    """``12:34:56 message (key=value, ...)``."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        pairs = _always | getattr(record, "fields", {})
        fields = ", ".join(f"{key}={value}" for key, value in pairs.items())
        return f"{line} ({fields})" if fields else line


def configure(style: str, **always: Any) -> None:
    """Sets up logging; style is ``json``, ``text``, or ``auto`` (text on a terminal).

    Some fields can be given to every line.
    """
    _always.update(always)
    text = style == "text" or (style == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter(TextFormatter() if text else JsonFormatter())
    LOG.handlers[:] = [handler]
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


def info(message: str, **fields: Any) -> None:
    LOG.info(message, extra={"fields": fields})


def warning(message: str, **fields: Any) -> None:
    LOG.warning(message, extra={"fields": fields})


def error(message: str, *, traceback: bool | BaseException = False, **fields: Any) -> None:
    LOG.error(message, exc_info=traceback, extra={"fields": fields})

"""The log, on standard error: a JSON object per line, or text on a terminal."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

LOG = logging.getLogger("perennial")
_common_fields: dict[str, Any] = {}


class JsonFormatter(logging.Formatter):
    """Formats ``{"time", "level", "message"}`` and the fields of ``extra["fields"]``."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **_common_fields,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


class TextFormatter(logging.Formatter):
    """Formats ``12:34:56 message (key=value, ...)``."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        pairs = _common_fields | getattr(record, "fields", {})
        fields = ", ".join(f"{key}={value}" for key, value in pairs.items())
        return f"{line} ({fields})" if fields else line


def configure(style: str, **common_fields: Any) -> None:
    """Configure the log.

    Args:
        style: ``json``, ``text``, or ``auto`` for text on a terminal.
        common_fields: fields of every line.
    """
    _common_fields.update(common_fields)
    text = style == "text" or (style == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter(TextFormatter() if text else JsonFormatter())
    LOG.handlers[:] = [handler]
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


def info(message: str, **fields: Any) -> None:
    """Log a message with fields."""
    LOG.info(message, extra={"fields": fields})


def warning(message: str, **fields: Any) -> None:
    """Log a warning with fields."""
    LOG.warning(message, extra={"fields": fields})


def error(message: str, *, traceback: bool | BaseException = False, **fields: Any) -> None:
    """Log an error with fields.

    ``traceback`` is the exception to log, or True for the current one.
    """
    LOG.error(message, exc_info=traceback, extra={"fields": fields})

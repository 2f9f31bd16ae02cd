"""Log records with fields, formatted by the program that uses this package."""

import logging
from typing import Any

LOG = logging.getLogger("perennial.storage")
"""Its parent ``perennial`` has the program's handler."""


def info(message: str, **fields: Any) -> None:
    LOG.info(message, extra={"fields": fields})


def warning(message: str, **fields: Any) -> None:
    LOG.warning(message, extra={"fields": fields})

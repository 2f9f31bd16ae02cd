"""What the refusals of web servers mean, for people."""

import socket
import ssl
import urllib.error
from urllib.parse import urlsplit

from perennial_contracts.outcome import LoadFailure

from ..errors import LoadError

_RETRIED = {408, 425, 429}
"""Statuses below 500 that say: later."""


def failure(where: str, url: str, error: Exception, timeout: float) -> LoadError:
    """What went wrong at a URL.

    Args:
        where: its name in messages.
        url: whose host name may be the matter.
        error: what urllib raised.
        timeout: seconds that were waited.
    """
    if isinstance(error, urllib.error.HTTPError):
        with error:
            return refusal(where, error.code)
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        what = f"no answer within {timeout:.0f} s"
    elif isinstance(cause, ConnectionRefusedError):
        what = "connection refused. Check the host and the port"
    elif isinstance(cause, socket.gaierror):
        what = f"the host name {urlsplit(url).hostname} is not known. Check spec.model.uri"
    elif isinstance(cause, ssl.SSLCertVerificationError):
        what = f"its certificate is not trusted: {cause.verify_message}"
    else:
        what = str(cause) or type(cause).__name__
    return LoadError(LoadFailure.STORE_UNREACHABLE, f"{where}: {what}")


def refusal(where: str, status: int) -> LoadError:
    """What a status from 400 up means."""
    if status in (401, 403, 407):
        return LoadError(
            LoadFailure.ACCESS_DENIED,
            f"{where}: access denied (HTTP {status}). Check the credentials",
        )
    if status >= 500 or status in _RETRIED:
        return LoadError(
            LoadFailure.STORE_UNREACHABLE, f"{where}: the server failed (HTTP {status})"
        )
    return LoadError(
        LoadFailure.MODEL_NOT_FOUND, f"{where}: not there (HTTP {status}). Check spec.model.uri"
    )

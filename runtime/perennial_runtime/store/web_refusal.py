"""What the refusals of web servers mean, for people."""

import socket
import ssl
import urllib.error
from urllib.parse import urlsplit

from perennial_contracts.web import refusal
from perennial_contracts.wire.outcome import LoadFailure

from ..errors import LoadError


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
            return LoadError(*refusal(where, error.code, "spec.model.uri"))
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

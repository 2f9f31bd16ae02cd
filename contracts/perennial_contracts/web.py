"""Web servers: what their statuses mean, and where credentials do not go."""

import urllib.request
from email.message import Message
from typing import IO
from urllib.parse import urlsplit

from .refusal import Refusal
from .wire.outcome import LoadFailure

_LATER = {408, 425, 429}
"""Statuses below 500 that say: later."""


def refusal(where: str, status: int, setting: str) -> Refusal:
    """What a status from 400 up means.

    Args:
        where: the URL, for messages.
        status: of HTTP.
        setting: where the URL comes from.
    """
    if status in (401, 403, 407):
        return Refusal(
            LoadFailure.ACCESS_DENIED,
            f"{where}: access denied (HTTP {status}). Check the credentials",
        )
    if status >= 500 or status in _LATER:
        return Refusal(LoadFailure.STORE_UNREACHABLE, f"{where}: the server failed (HTTP {status})")
    return Refusal(
        LoadFailure.MODEL_NOT_FOUND, f"{where}: not there (HTTP {status}). Check {setting}"
    )


class Redirects(urllib.request.HTTPRedirectHandler):
    """Credentials are for the host that they were given for."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        request = super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        if request is not None and (before.scheme, before.netloc) != (after.scheme, after.netloc):
            request.remove_header("Authorization")
        return request

"""Which model a message means."""

from ...errors import NotFoundError


def check_model(name: str, version: str, served: str, served_version: str) -> None:
    """Raises ``NotFoundError`` unless it is the served one.

    A version may be left out, be the served one, or "1", as in URLs.
    """
    if name != served:
        raise NotFoundError(f"model: expected {served!r}, got {name!r}")
    if version and version != served_version and version != "1":
        raise NotFoundError(f"version: expected {served_version!r} or '1', got {version!r}")

"""Time as Kubernetes writes it: RFC 3339, UTC, whole seconds."""

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """Return a time as text, such as 2026-01-02T03:04:05Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_text(text: str) -> datetime:
    """Return the time that a text describes."""
    return datetime.fromisoformat(text)


def seconds_since(text: str, now: datetime) -> float:
    """Return the seconds from a time given as text to now."""
    return (now - from_text(text)).total_seconds()

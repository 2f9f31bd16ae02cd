"""Time as Kubernetes writes it: RFC 3339, UTC, whole seconds."""

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_text(text: str) -> datetime:
    return datetime.fromisoformat(text)


def seconds_since(text: str, now: datetime) -> float:
    """Seconds from a written moment to now."""
    return (now - from_text(text)).total_seconds()

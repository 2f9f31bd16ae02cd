"""Events of the model, found by comparing successive states of its resources."""

from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True)
class Sight:
    """State of the resources at one moment."""

    conditions: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Status and reason of the ModelDeployment's conditions, by type."""
    revision: str = ""
    digest: str = ""
    psi: dict[str, int] = field(default_factory=dict)
    """Population stability index of the last window by feature, in thousandths."""
    quality: tuple[int, int] | None = None
    """Metric in the last window, and on held-out data, in thousandths."""
    runs: dict[str, tuple[str, str, str, str]] = field(default_factory=dict)
    """RetrainJobs by name: trigger, status and reason of Succeeded, and message."""

    @classmethod
    def of(cls, resource: Object, runs: list[Object]) -> "Sight":
        """Read a ModelDeployment and its RetrainJobs."""
        status = resource.get("status", {})
        stable = status.get("stable") or {}
        watched = status.get("monitoring") or {}
        quality = watched.get("quality")
        return cls(
            conditions={
                each["type"]: (each["status"], each["reason"])
                for each in status.get("conditions", ())
            },
            revision=stable.get("name", ""),
            digest=stable.get("digest", ""),
            psi={
                each["name"]: each["psiPermille"]
                for each in (watched.get("drift") or {}).get("features", ())
            },
            quality=(quality["valuePermille"], quality["baselinePermille"]) if quality else None,
            runs={run["metadata"]["name"]: _run(run) for run in runs},
        )

    @property
    def running(self) -> str:
        """Current run with its step, or ``""``."""
        for name, (_, status, reason, _) in self.runs.items():
            if status == "Unknown":
                return f"{name} {reason}"
        return ""


def _run(run: Object) -> tuple[str, str, str, str]:
    conditions = run.get("status", {}).get("conditions") or ()
    whole: Object = next((each for each in conditions if each["type"] == "Succeeded"), {})
    return (
        run["spec"].get("trigger", {}).get("type", "Manual"),
        whole.get("status", "Unknown"),
        whole.get("reason", ""),
        run.get("status", {}).get("message", ""),
    )


@dataclass(frozen=True)
class Event:
    """Event of the model."""

    kind: str
    """One of drift, quality, started, accepted, rejected, failed, promoted."""
    text: str


_SIGNS = {"DriftDetected": ("drift", "InputAndPredictionDrift"), "QualityDropped": ("quality", "")}


def news(before: Sight, after: Sight) -> list[Event]:
    """Return the events between two states, in order."""
    events = []
    for type_, (kind, wanted) in _SIGNS.items():
        was, now = before.conditions.get(type_), after.conditions.get(type_)
        if now and now != was and now[0] == "True" and wanted in ("", now[1]):
            events.append(Event(kind, now[1]))
    for name, (trigger, status, reason, message) in after.runs.items():
        old = before.runs.get(name)
        if not old:
            events.append(Event("started", f"{name} by {trigger}"))
        if status != "Unknown" and (not old or old[1] == "Unknown"):
            kind = {"Accepted": "accepted", "Rejected": "rejected"}.get(reason, "failed")
            events.append(Event(kind, f"{name}: {message}" if message else name))
    if before.digest and after.digest and before.digest != after.digest:
        events.append(Event("promoted", f"revision {after.revision}"))
    return events

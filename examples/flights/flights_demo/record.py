"""Table of the year: scores of the frozen and the living model by month."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

from .news import Event

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_WORTH_A_LINE = ("drift", "quality", "started", "promoted", "rejected", "failed")


@dataclass
class Month:
    """One month of the year."""

    number: int
    """Number of the month; 1 is January."""
    flights: int = 0
    requests: int = 0
    failed: int = 0
    """Requests without a response, or with another response than a prediction."""
    problems: list[str] = field(default_factory=list)
    """Descriptions of the first failures."""
    frozen_auc: float = float("nan")
    """ROC AUC of January's model on the month's flights."""
    living_auc: float = float("nan")
    """ROC AUC of the cluster's predictions."""
    versions: list[str] = field(default_factory=list)
    """Models that answered, in order, by the first digits of their digests."""
    events: list[Event] = field(default_factory=list)

    @property
    def name(self) -> str:
        return MONTHS[self.number - 1]

    def happened(self, kind: str) -> bool:
        return any(event.kind == kind for event in self.events)

    @property
    def story(self) -> str:
        """Short description of the events."""
        parts: list[str] = []
        for event in self.events:
            if event.kind not in _WORTH_A_LINE:
                continue
            text = event.kind
            if event.kind == "started":
                text = f"retrained by {event.text.rpartition(' ')[2]}"
            if text not in parts:
                parts.append(text)
        return ", ".join(parts)


def write_csv(months: list[Month], file: Path) -> None:
    """Write a line for each month."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(("month", "requests", "frozen_auc", "living_auc", "revision", "events"))
        for month in months:
            writer.writerow(
                (
                    month.number,
                    month.requests,
                    f"{month.frozen_auc:.4f}",
                    f"{month.living_auc:.4f}",
                    " ".join(month.versions),
                    month.story,
                )
            )


def as_text(months: list[Month]) -> str:
    """Return the table for a terminal."""
    lines = [f"{'':<10}{'flights':>9}{'frozen':>9}{'living':>9}{'gain':>8}  what happened"]
    for month in months:
        gain = round(month.living_auc - month.frozen_auc, 3) + 0.0  # never -0
        lines.append(
            f"{month.name:<10}{month.flights:>9,}{month.frozen_auc:>9.3f}"
            f"{month.living_auc:>9.3f}{gain:>+8.3f}  {month.story}"
        )
    return "\n".join(lines)

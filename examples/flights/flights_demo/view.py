"""Live view of the year: a table on a terminal, else lines."""

import threading
from types import TracebackType

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .news import Event, Sight
from .record import Month
from .screen import Screen

LATEST = 6
"""Number of events to show."""


class View:
    """Live view. A context manager; its methods are safe to call from several threads."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._months: list[Month] = []
        self._sight = Sight()
        self._lines: list[str] = []
        self._lock = threading.Lock()
        self._live: Live | None = None

    def __enter__(self) -> "View":
        if self._screen.console.is_terminal:
            self._live = Live(
                get_renderable=self._render, console=self._screen.console, refresh_per_second=4
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def begin(self, month: Month) -> None:
        """Begin a month, and show it as it fills."""
        with self._lock:
            self._months.append(month)

    def end(self, month: Month) -> None:
        """Finish a month."""
        if not self._live:
            self._screen.print(
                f"{month.name:<10} {month.flights:>7,} flights, {month.failed} failed requests; "
                f"ROC AUC frozen {month.frozen_auc:.3f}, living {month.living_auc:.3f}"
            )

    def see(self, sight: Sight, events: list[Event]) -> None:
        """Update the state, and add events."""
        with self._lock:
            self._sight = sight
            for event in events:
                line = f"{event.kind}: {event.text}"
                self._lines.append(line)
                if not self._live:
                    self._screen.print(f"  {line}")

    def _render(self) -> RenderableType:
        with self._lock:
            return Group(self._table(), self._state(), *map(Text, self._lines[-LATEST:]))

    def _table(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0))
        for name in ("month", "flights", "failed", "frozen", "living"):
            table.add_column(name, justify="left" if name == "month" else "right")
        table.add_column("what happened")
        for month in self._months:
            over = month.living_auc == month.living_auc
            scores = (f"{month.frozen_auc:.3f}", f"{month.living_auc:.3f}") if over else ("", "")
            table.add_row(
                month.name, f"{month.flights:,}", str(month.failed), *scores, Text(month.story)
            )
        return table

    def _state(self) -> Text:
        sight = self._sight
        drift = sight.conditions.get("DriftDetected", ("", "unknown"))[1]
        farthest = max(sight.psi, key=lambda name: sight.psi[name], default="")
        if farthest:
            drift += f" (PSI {farthest} {sight.psi[farthest] / 1000:.2f}"
            drift += f", score {sight.psi.get('score', 0) / 1000:.2f})"
        quality = "unknown"
        if sight.quality:
            value, baseline = sight.quality
            quality = f"ROC AUC {value / 1000:.3f}, was {baseline / 1000:.3f}"
        waiting = sight.conditions.get("Retraining", ("", ""))[1]
        return Text(
            f"\nrevision {sight.revision}   drift {drift}   quality {quality}\n"
            f"retraining {sight.running or waiting}\n",
            style="cyan",
        )

"""Output of the demo: steps, and a status line that changes in place."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console


class Show(Protocol):
    """Show a state. The count before it appears only on a terminal."""

    def __call__(self, text: str, count: str = "") -> None: ...


class Screen:
    """Printer of the demo's output."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Print a title, and the time of the block when it succeeds."""
        self.head(title)
        begun = time.monotonic()
        yield
        self.console.print(f"    [dim]({time.monotonic() - begun:.1f} s)[/dim]")

    def print(self, text: str = "") -> None:
        """Print the lines of a step."""
        for line in text.splitlines() or [""]:
            self.console.print(f"    {line}", markup=False)

    def stop(self, text: str) -> None:
        """Print the cause of an early end."""
        self.console.print(f"\n[bold red]Stopped:[/bold red] {_escape(text)}")

    def head(self, title: str) -> None:
        """Print a title."""
        self.console.print(f"\n[bold]==> {title}[/bold]")

    @contextmanager
    def status(self) -> Iterator[Show]:
        """Show a line that changes in place; without a terminal, a line for each new text."""
        if self.console.is_terminal:
            with self.console.status("...") as spinner:
                yield lambda text, count="": spinner.update(_escape(f"{count}{text}"))
            return
        last = ""

        def show(text: str, count: str = "") -> None:
            nonlocal last
            if text != last:
                self.print(text)
                last = text

        yield show


def _escape(text: str) -> str:
    return text.replace("[", r"\[")

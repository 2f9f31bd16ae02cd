"""What a person sees: steps, a line that moves on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console


class Show(Protocol):
    """Shows a state; the count before it is shown only where a line can be rewritten."""

    def __call__(self, text: str, count: str = "") -> None: ...


class Screen:
    """Prints the story of the demo."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A headed part of the story; its time is printed when it ends well."""
        self.head(title)
        begun = time.monotonic()
        yield
        self.console.print(f"    [dim]({time.monotonic() - begun:.1f} s)[/dim]")

    def say(self, text: str = "") -> None:
        """Some lines of a step."""
        for line in text.splitlines() or [""]:
            self.console.print(f"    {line}", markup=False)

    def stop(self, text: str) -> None:
        """Why the demo ends early."""
        self.console.print(f"\n[bold red]Stopped:[/bold red] {_escape(text)}")

    def head(self, title: str) -> None:
        """The head of a part that takes no time."""
        self.console.print(f"\n[bold]==> {title}[/bold]")

    @contextmanager
    def status(self) -> Iterator[Show]:
        """A line that is rewritten; where there is no terminal, a line for each new text."""
        if self.console.is_terminal:
            with self.console.status("...") as spinner:
                yield lambda text, count="": spinner.update(_escape(f"{count}{text}"))
            return
        last = ""

        def show(text: str, count: str = "") -> None:
            nonlocal last
            if text != last:
                self.say(text)
                last = text

        yield show


def _escape(text: str) -> str:
    return text.replace("[", r"\[")

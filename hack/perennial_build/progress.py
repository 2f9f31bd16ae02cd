"""Commands that build and start things, with progress on standard error."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from perennial_build.errors import ReportedError, with_log

Command = Sequence[str | Path]

TERMINAL_SECONDS = 0.5
PLAIN_SECONDS = 15.0


class Step:
    """The progress line of a step: rewritten on a terminal, else repeated every 15 s."""

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self.title = title
        self.stream = stream or sys.stderr
        self.started = time.monotonic()
        self.terminal = self.stream.isatty()
        self.next_line = self.started + (0.0 if self.terminal else PLAIN_SECONDS)

    def tick(self) -> None:
        """Show that the step still runs, if a line is due."""
        now = time.monotonic()
        if now < self.next_line:
            return
        self.next_line = now + (TERMINAL_SECONDS if self.terminal else PLAIN_SECONDS)
        self._write("...", final=False)

    def done(self, note: str = "done") -> None:
        """Close the line."""
        self._write(note, final=True)

    def _write(self, note: str, *, final: bool) -> None:
        seconds = time.monotonic() - self.started
        line = f"{self.title:<58} {note} ({seconds:.0f} s)"
        if self.terminal:
            self.stream.write(f"\r\x1b[K{line}" + ("\n" if final else ""))
        else:
            self.stream.write(f"{line}\n")
        self.stream.flush()


def report(line: str) -> None:
    """Print a line to standard error; standard output is for results."""
    print(line, file=sys.stderr, flush=True)


def run_step(
    title: str,
    command: Command,
    log: Path,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a long command with its output in a log.

    Raises:
        ReportedError: the command is not installed or fails; the message has the log's end.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    step = Step(title)
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=cwd,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        except FileNotFoundError:
            raise ReportedError(f"{title}: {command[0]!s} is not installed") from None
        try:
            while True:
                try:
                    status = process.wait(timeout=TERMINAL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    step.tick()
        except BaseException:
            process.kill()
            process.wait()
            raise
    step.done("done" if status == 0 else "failed")
    if status != 0:
        raise with_log(f"{title} failed with exit code {status}", log)


def capture(command: Command, *, stdin: str | None = None) -> str:
    """Run a short command and return its output.

    Raises:
        ReportedError: the command is not installed or fails; the message has its output.
    """
    words = [str(word) for word in command]
    try:
        result = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ReportedError(f"{words[0]} is not installed") from None
    if result.returncode != 0:
        output = (result.stderr or result.stdout).strip()
        raise ReportedError(
            f"`{' '.join(words)}` failed with exit code {result.returncode}: {output}"
        )
    return result.stdout

"""Table of the time and the processor time that each part of the tests took."""

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import pytest


@dataclass
class Spent:
    """Seconds of all tests of a part."""

    tests: int = 0
    setup: float = 0.0
    call: float = 0.0
    teardown: float = 0.0
    processor: float = 0.0


def processor_seconds() -> float:
    """Return the processor time of this process and of its ended children."""
    return sum(os.times()[:4])


class Durations:
    """A plugin that prints the table at the end of the run."""

    def __init__(self) -> None:
        self._parts: defaultdict[str, Spent] = defaultdict(Spent)
        self._before = processor_seconds()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Iterator[None]:
        report = yield
        now = processor_seconds()
        report.processor, self._before = now - self._before, now
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        spent = self._parts["/".join(report.nodeid.split("/")[:2])]
        spent.tests += report.when == "call"
        setattr(spent, report.when, getattr(spent, report.when) + report.duration)
        spent.processor += getattr(report, "processor", 0.0)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("seconds by part")
        line = "{:<20} {:>6} {:>9} {:>9} {:>9} {:>11}".format
        terminalreporter.write_line(line("", "tests", "setup", "call", "teardown", "processor"))
        for part, spent in sorted(self._parts.items()):
            numbers = (spent.setup, spent.call, spent.teardown, spent.processor)
            terminalreporter.write_line(line(part, spent.tests, *(f"{n:.0f}" for n in numbers)))

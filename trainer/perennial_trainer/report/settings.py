"""The settings of ``report`` and its part of the parser."""

import argparse
from dataclasses import dataclass
from pathlib import Path

REPORT = "report"


@dataclass(frozen=True)
class ReportSettings:
    """The settings of ``report``."""

    card: Path
    profile: Path | None
    out: Path


def add_report(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the program's commands."""
    text = "render the report of a model card"
    sub = commands.add_parser(REPORT, help=text, description=f"{text.capitalize()}.")
    sub.add_argument("card", type=Path, metavar="MODELCARD", help="a modelcard.json")
    sub.add_argument(
        "--profile",
        type=Path,
        metavar="FILE",
        help="the profile.json beside it, for the distributions (default: no distributions)",
    )
    sub.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="the page, such as report.html"
    )

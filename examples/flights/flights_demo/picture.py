"""Picture of the year: ROC AUC by month, without and with retraining."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from .record import Month

INK, MUTED, GRID = "#16243a", "#5d6b80", "#e3e9f2"
FROZEN, LIVING = "#9aa7bb", "#2f6cb3"
MARKS = {
    "started": ("o", "#d98e04", "retraining started"),
    "promoted": ("^", "#2e8b57", "better model promoted"),
    "rejected": ("x", "#c0392b", "challenger rejected"),
}


def draw(months: Sequence[Month], file: Path) -> None:
    """Draw the months in order, as PNG of 2000 x 1100 pixels."""
    with plt.rc_context({"font.family": "DejaVu Sans", "text.color": INK}):
        figure = plt.figure(figsize=(10, 5.5), dpi=200, facecolor="white")
        axes = figure.add_axes((0.075, 0.13, 0.9, 0.67))
        positions = range(len(months))
        frozen = [month.frozen_auc for month in months]
        living = [month.living_auc for month in months]
        axes.fill_between(positions, frozen, living, color=LIVING, alpha=0.1, linewidth=0)
        axes.plot(
            positions, frozen, color=FROZEN, linewidth=2.2, marker=".", label="frozen in January"
        )
        axes.plot(positions, living, color=LIVING, linewidth=2.8, marker=".", label="kept alive")
        _mark(axes, months)
        axes.set_xticks(positions, [month.name[:3] for month in months], fontsize=11)
        axes.tick_params(length=0, colors=MUTED, pad=6)
        axes.grid(axis="y", color=GRID)
        axes.set_axisbelow(True)
        low = min([*frozen, *living])
        axes.set_ylim(low - 0.02, max([*frozen, *living]) + 0.012)
        for spine in axes.spines.values():
            spine.set_visible(False)
        figure.text(
            0.03,
            0.93,
            "Will the flight arrive more than 15 minutes late?",
            fontsize=17,
            fontweight="bold",
            va="center",
        )
        figure.text(
            0.03,
            0.875,
            "ROC AUC by month, flights from New York City in 2013, predicted at push-back "
            f"({sum(month.flights for month in months):,} predictions)",
            fontsize=10.5,
            color=MUTED,
            va="center",
        )
        axes.legend(
            loc="upper left", bbox_to_anchor=(0.0, -0.07), ncols=5, frameon=False, fontsize=9.5
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file)
        plt.close(figure)


def _mark(axes: Axes, months: Sequence[Month]) -> None:
    low = min(min(month.frozen_auc, month.living_auc) for month in months)
    for row, (kind, (marker, colour, label)) in enumerate(MARKS.items()):
        positions = [index for index, month in enumerate(months) if month.happened(kind)]
        heights = [low - 0.006 - 0.0045 * row] * len(positions)
        axes.scatter(positions, heights, marker=marker, color=colour, s=46, label=label, zorder=3)

"""The confusion matrix as a picture: a row per truth, coloured by its shares."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from .training import Scores

INK, MUTED = "#16243a", "#5d6b80"
COLOURS = LinearSegmentedColormap.from_list("share", ["#f3f6fb", "#9dbbe3", "#2f6cb3", "#123b74"])


def draw(
    counts: np.ndarray,
    labels: tuple[str, ...],
    scores: Scores,
    title: str,
    caption: str,
    file: Path,
) -> None:
    """Draws a confusion matrix with counts and the shares of each row.

    Args:
        counts: shape (classes, classes); row is the truth, column the prediction.
        labels: what the classes mean, in order.
        scores: of the same predictions.
        title: the line on top.
        caption: the line under it.
        file: where the PNG goes, 1600 x 1440 pixels.
    """
    shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    with plt.rc_context({"font.family": "DejaVu Sans", "text.color": INK}):
        figure = plt.figure(figsize=(8, 7.2), dpi=200, facecolor="white")
        axes = figure.add_axes((0.17, 0.135, 0.79, 0.655))
        axes.imshow(shares, cmap=COLOURS, vmin=0, vmax=1, aspect="auto")
        _write_cells(axes, counts, shares)
        _label_axes(axes, labels, counts)
        figure.text(0.04, 0.94, title, fontsize=16, fontweight="bold", va="center")
        figure.text(0.04, 0.895, caption, fontsize=10.5, color=MUTED, va="center")
        for place, (name, value) in enumerate(
            [
                ("accuracy", scores.accuracy),
                ("recall of late", scores.recall),
                ("F1 of late", scores.f1),
                ("ROC AUC", scores.roc_auc),
            ]
        ):
            left = 0.17 + 0.2125 * place
            figure.text(left, 0.062, f"{value:.3f}", fontsize=15, fontweight="bold", va="center")
            figure.text(left, 0.026, name, fontsize=9.5, color=MUTED, va="center")
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file)
        plt.close(figure)


def _write_cells(axes: Axes, counts: np.ndarray, shares: np.ndarray) -> None:
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.45 else INK
        place: dict[str, Any] = {"ha": "center", "va": "center", "color": colour}
        axes.text(column, row - 0.05, f"{count:,}", fontsize=25, fontweight="bold", **place)
        axes.text(column, row + 0.13, f"{shares[row, column]:.1%} of the row", fontsize=11, **place)


def _label_axes(axes: Axes, labels: tuple[str, ...], counts: np.ndarray) -> None:
    size = len(labels)
    axes.set_xticks(range(size), [f"predicted\n{label}" for label in labels], fontsize=12)
    totals = counts.sum(axis=1)
    rows = [f"really\n{label}\n({total:,})" for label, total in zip(labels, totals, strict=True)]
    axes.set_yticks(range(size), rows, fontsize=12)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, pad=8, colors=INK)
    axes.set_xticks(np.arange(size - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(size - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=6)
    axes.tick_params(which="minor", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)

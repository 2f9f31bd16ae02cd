"""One picture of all works: the throughput of each server, over its connections."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from .report import IN_PROCESS, OURS, Results
from .works import Work

COLUMNS = 2
HIGHLIGHT, OTHERS, LIMIT = "#0b6e4f", "#8d99ae", "#c1121f"
SHADES = (0.35, 0.65, 1.0)
"""Few connections pale, many connections strong."""


def draw(results: Results, works: Sequence[Work], titles: Mapping[str, str], path: Path) -> None:
    """Writes a PNG: a panel for each work, a bar for each server and count of connections."""
    rows = -(-len(works) // COLUMNS)
    figure, panels = plt.subplots(
        rows, COLUMNS, figsize=(13, 4.2 * rows), squeeze=False, layout="constrained"
    )
    for panel, work in zip(panels.flat, works, strict=False):
        _panel(panel, results, work, titles)
    for panel in panels.flat[len(works) :]:
        panel.set_visible(False)
    figure.suptitle("Requests per second (log scale; darker bars: more connections)", fontsize=13)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _panel(panel: Axes, results: Results, work: Work, titles: Mapping[str, str]) -> None:
    servers = [
        server
        for server in titles
        if any(results.at(work.key, server, count) for count in work.connections)
    ]
    height = 0.8 / len(work.connections)
    for place, server in enumerate(servers):
        color = HIGHLIGHT if server == OURS else OTHERS
        for index, count in enumerate(work.connections):
            sample = results.at(work.key, server, count)
            if sample is None:
                continue
            y = place + (index - (len(work.connections) - 1) / 2) * height
            panel.barh(y, sample.rps, height * 0.92, color=color, alpha=SHADES[index])
            panel.text(sample.rps, y, f" {sample.rps:,.0f}", va="center", fontsize=7.5)
    limit = results.at(work.key, IN_PROCESS, 1)
    if limit is not None:
        panel.axvline(limit.rps, color=LIMIT, linewidth=1.2, linestyle="--")
        panel.text(
            *(limit.rps, 1.0, f"in process {limit.rps:,.0f} "),
            transform=panel.get_xaxis_transform(),
            ha="right",
            va="bottom",
            fontsize=7.5,
            color=LIMIT,
        )
    panel.set_xscale("log")
    low, high = panel.get_xlim()
    panel.set_xlim(low / 1.3, high * 2)
    panel.set_yticks(range(len(servers)), [titles[server] for server in servers])
    panel.invert_yaxis()
    counts = ", ".join(map(str, work.connections))
    panel.set_title(f"{work.title} ({counts} connections)", fontsize=11, loc="left", pad=14)
    panel.spines[["top", "right"]].set_visible(False)

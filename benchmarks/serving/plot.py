"""Picture of all works: the throughput of each server by connections."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from .report import IN_PROCESS, OURS, Results
from .works import Work

COLUMNS = 2
HIGHLIGHT, OTHERS, LIMIT = "#0b6e4f", "#5c677d", "#c1121f"
SHADES = (0.35, 0.65, 1.0)
"""Shades: pale for few connections, strong for many."""


def draw(results: Results, works: Sequence[Work], titles: Mapping[str, str], path: Path) -> None:
    """Draw a PNG: a panel for each work, a dot for each server and connection count.

    Dots, not bars: on a logarithmic scale the length of a bar has no meaning.
    """
    works = [work for work in works if _servers(results, work, titles)]
    rows = max(-(-len(works) // COLUMNS), 1)
    tall = 1.3 + 0.45 * len(titles)
    figure, panels = plt.subplots(
        rows, COLUMNS, figsize=(13, tall * rows), squeeze=False, layout="constrained"
    )
    for panel, work in zip(panels.flat, works, strict=False):
        _panel(panel, results, work, titles)
    for panel in panels.flat[len(works) :]:
        panel.set_visible(False)
    figure.suptitle("Requests per second, log scale; top to bottom: more connections", fontsize=13)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _servers(results: Results, work: Work, titles: Mapping[str, str]) -> list[str]:
    """Return the servers with results for a work."""
    return [
        server
        for server in titles
        if any(results.at(work.key, server, count) for count in work.connections)
    ]


def _panel(panel: Axes, results: Results, work: Work, titles: Mapping[str, str]) -> None:
    servers = _servers(results, work, titles)
    rates = []
    for place, server in enumerate(servers):
        color = HIGHLIGHT if server == OURS else OTHERS
        if place % 2 == 0:
            panel.axhspan(place - 0.5, place + 0.5, color="#f3f4f6", zorder=0)
        for index, count in enumerate(work.connections):
            sample = results.at(work.key, server, count)
            if sample is None:
                continue
            rates.append(sample.rps)
            y = place + 0.29 * (index - (len(work.connections) - 1) / 2)
            panel.plot(sample.rps, y, "o", color=color, alpha=SHADES[index], markersize=6)
            panel.annotate(
                f"{sample.rps:,.0f}",
                (sample.rps, y),
                xytext=(7, 0),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
            )
    limit = results.at(work.key, IN_PROCESS, 1)
    if limit is not None:
        rates.append(limit.rps)
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
    panel.set_xlim(min(rates) / 1.5, max(rates) * 2.2)
    panel.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    panel.xaxis.set_minor_formatter(NullFormatter())
    panel.set_yticks(range(len(servers)), [titles[server] for server in servers])
    panel.set_ylim(len(servers) - 0.5, -0.5)
    counts = ", ".join(map(str, work.connections))
    panel.set_title(f"{work.title} ({counts} connections)", fontsize=11, loc="left", pad=14)
    panel.spines[["top", "right"]].set_visible(False)

"""Plots of scores: as SVG that takes the page's text colour (light or dark), and as PNG on white."""

from __future__ import annotations

import dataclasses
import functools
import io
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

_INK = "#010203"
"""Stands for the page's text colour while a plot is drawn."""
_COLOURS = ("#4c8fd6", "#e0892b", "#35a07c", "#b668b0", "#c9564f", "#8a8f3c")
_PAPER_MARKERS = ("o", "D", "s", "^", "v", "P")
_COUNTS_UP_TO = 12
"""A confusion matrix of so many labels has its counts written in."""
_SLOT = 0.34
"""Inches of height of a bar."""


@dataclasses.dataclass(frozen=True)
class Plot:
    """A drawn plot: `name` is a file name without its ending, `svg` belongs inline into HTML."""

    name: str
    title: str
    svg: str
    png: bytes


@dataclasses.dataclass(frozen=True)
class Bar:
    """One score, 0 to 100, with its 95% interval, chance level and published scores by series, where known."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    chance: float | None = None
    published: tuple[tuple[str, float], ...] = ()


def plot_scores(bars: Sequence[Bar], name: str = "scores") -> Plot:
    """Horizontal bars with intervals, a mark at chance, and points for what was published."""

    def draw() -> Figure:
        figure = _figure(len(bars))
        axes = figure.add_subplot()
        places = range(len(bars))
        axes.barh(places, [bar.value for bar in bars], height=0.6, color=_COLOURS[0])
        for place, bar in zip(places, bars, strict=True):
            _whisker(axes, place, bar.low, bar.high, color=_INK)
            if bar.chance is not None:
                axes.plot([bar.chance] * 2, [place - 0.4, place + 0.4], color=_COLOURS[4], linewidth=2, zorder=4)
        series = list(dict.fromkeys(model for bar in bars for model, _ in bar.published))
        handles: list[Line2D | Patch] = [Patch(color=_COLOURS[0], label="this model, 95% interval")]
        if any(bar.chance is not None for bar in bars):
            handles.append(Line2D([], [], color=_COLOURS[4], linewidth=2, label="chance"))
        for number, model in enumerate(series):
            style = {
                "marker": _PAPER_MARKERS[number % len(_PAPER_MARKERS)],
                "markersize": 7,
                "color": _COLOURS[(number + 1) % 4],
                "markeredgecolor": _INK,
                "linestyle": "none",
                "label": model,
            }
            points = [(v, p) for p, bar in zip(places, bars, strict=True) for m, v in bar.published if m == model]
            axes.plot(*zip(*points, strict=True), **style, zorder=5)
            handles.append(Line2D([], [], **style))
        _finish(axes, [bar.label for bar in bars], places, (len(bars) - 0.5, -0.5))
        figure.legend(handles=handles, loc="outside upper left", ncols=3, frameon=False)
        return figure

    return _render(name, "Scores with 95% intervals, chance and the published figures", draw)


def plot_intervals(groups: Sequence[tuple[str, Sequence[Bar]]]) -> Plot:
    """Every score of every task as a point with its interval; one group a task, one colour a way of scoring."""
    series = list(dict.fromkeys(bar.label for _, bars in groups for bar in bars))

    ends = np.cumsum([max(len(bars), 2) + 0.6 for _, bars in groups])

    def draw() -> Figure:
        figure = _figure(ends[-1], slot=0.15)
        axes = figure.add_subplot()
        centres = ends - np.diff(ends, prepend=0.0) / 2
        for centre, end, (_, bars) in zip(centres, ends, groups, strict=True):
            for number, bar in enumerate(bars):
                at = centre + number - (len(bars) - 1) / 2
                colour = _COLOURS[series.index(bar.label) % len(_COLOURS)]
                _whisker(axes, at, bar.low, bar.high, color=colour)
                axes.plot(bar.value, at, "o", color=colour, markersize=5)
            axes.axhline(end, color=_INK, alpha=0.15, linewidth=0.8)
        _finish(axes, [label for label, _ in groups], centres, (ends[-1], 0.0))
        handles = [
            Line2D([], [], color=_COLOURS[n % len(_COLOURS)], marker="o", markersize=5, label=label)
            for n, label in enumerate(series)
        ]
        figure.legend(handles=handles, loc="outside upper left", ncols=4, frameon=False)
        return figure

    return _render("intervals", "Every way of answering and scoring, with 95% intervals", draw)


def plot_confusion(name: str, title: str, labels: Sequence[str], columns: Sequence[str], matrix: np.ndarray) -> Plot:
    """A heat map of shares of each gold label; drawn once, for a report is written anew after every task.

    Args:
        name: File name without its ending.
        title: Of the plot.
        labels: Gold labels, the rows.
        columns: Answers, the columns.
        matrix: Counts [rows, columns].
    """
    return _confusion(name, title, tuple(labels), tuple(columns), tuple(map(tuple, matrix.tolist())))


@functools.lru_cache(maxsize=256)
def _confusion(
    name: str, title: str, labels: tuple[str, ...], columns: tuple[str, ...], counts: tuple[tuple[int, ...], ...]
) -> Plot:
    matrix = np.asarray(counts)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    brightest = 1 if len(columns) <= _COUNTS_UP_TO else max(shares.max(), 0.1)
    blues = LinearSegmentedColormap.from_list("blues", [(0.30, 0.56, 0.84, 0.0), (0.30, 0.56, 0.84, 1.0)])

    def draw() -> Figure:
        cell = 0.5 if len(columns) <= _COUNTS_UP_TO else 0.21
        longest = max(len(label) for label in (*labels, *columns))
        width, height = cell * len(columns) + 0.075 * longest + 1.6, cell * len(labels) + 0.06 * longest + 1.0
        figure = Figure(figsize=(max(width, 3.6), max(height, 2.4)), dpi=130, layout="constrained")
        axes = figure.add_subplot()
        image = axes.imshow(shares, cmap=blues, vmin=0, vmax=brightest, interpolation="none", aspect="equal")
        turned = max(len(column) for column in columns) > 5
        axes.set_xticks(range(len(columns)), columns, rotation=60 if turned else 0, ha="right" if turned else "center")
        if turned:
            for label in axes.get_xticklabels():
                label.set_rotation_mode("anchor")
        axes.set_yticks(range(len(labels)), labels)
        axes.tick_params(length=0, labelsize=9 if cell == 0.5 else 8)
        axes.set_xlabel("answer")
        axes.set_ylabel("gold")
        if cell == 0.5:
            for row, column in np.ndindex(matrix.shape):
                axes.text(column, row, f"{int(matrix[row, column])}", ha="center", va="center", fontsize=9)
        figure.colorbar(image, ax=axes, label="share of the gold label", shrink=0.9, pad=0.03)
        return figure

    return _render(name, title, draw)


def _figure(slots: float, slot: float = _SLOT) -> Figure:
    return Figure(figsize=(9, 1.5 + slot * max(slots, 2)), dpi=130, layout="constrained")


def _whisker(axes, place: float, low: float | None, high: float | None, *, color: str) -> None:
    if low is not None and high is not None:
        axes.plot([low, high], [place, place], color=color, linewidth=1.6, marker="|", markersize=6, zorder=3)


def _finish(axes, labels: Sequence[str], places: Sequence[float] | np.ndarray, limits: tuple[float, float]) -> None:
    axes.set_yticks(places, labels)
    axes.set_ylim(*limits)
    axes.set_xlim(0, 100)
    axes.set_xlabel("score x 100")
    axes.grid(axis="x", alpha=0.25, color=_INK)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _render(name: str, title: str, draw: Callable[[], Figure]) -> Plot:
    colours = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    settings: dict[Any, Any] = dict.fromkeys(colours, _INK) | {
        "axes.facecolor": "none",
        "font.size": 10,
        "text.parse_math": False,  # a dollar sign is a dollar sign
        "svg.fonttype": "none",
        "svg.hashsalt": name,
    }
    vector, raster = io.StringIO(), io.BytesIO()
    with rc_context(settings):
        figure = draw()
        figure.savefig(raster, format="png", facecolor="white")
        figure.savefig(vector, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = vector.getvalue()
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)  # several plots stand in one page
    return Plot(name, title, svg.strip(), raster.getvalue())

"""Scales, ticks and the frame of a chart."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from markupsafe import Markup

from .formatting import number
from .svg import LARGEST, drawable, element, join, label, line, picture

WIDTH, HEIGHT = 400, 300
"""Size of the view box. Its units are about pixels on a phone."""
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 12, 44
TICKS = 5


@dataclass(frozen=True)
class Scale:
    """A mapping of values between low and high to coordinates between start and end."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value. Values outside map to the nearer end."""
        low, high, at = (math.log(v) if self.log else v for v in self._within(value))
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return round values: 1, 2 and 5 times a power of ten."""
        if self.log:
            return self._decades()
        step = _step((self.high - self.low) / TICKS)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(index * step, 12) for index in range(first, last + 1)]

    def _within(self, value: float) -> tuple[float, float, float]:
        # In this order NaN maps to the low end too.
        return self.low, self.high, min(self.high, max(self.low, value))

    def _decades(self) -> list[float]:
        exponents = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        candidates = [
            [mantissa * 10.0**exponent for exponent in exponents for mantissa in mantissas]
            for mantissas in ((1, 2, 5), (1, 3), (1,))
        ]
        found = [[tick for tick in ticks if self.low <= tick <= self.high] for ticks in candidates]
        return next((ticks for ticks in found if len(ticks) <= TICKS + 1), found[-1])


def span(values: Iterable[float], room: float = 0.05) -> tuple[float, float]:
    """Return the ends of an axis for all values; (0, 1) without values."""
    drawn = [value for value in values if drawable(value)]
    if not drawn:
        return 0.0, 1.0
    low, high = min(drawn), max(drawn)
    largest = max(abs(low), abs(high))
    extra = (high - low) * room
    if largest < 1 / LARGEST:
        extra = 0.5
    elif high - low < largest * 1e-9:
        extra = largest * room
    return low - extra, high + extra


def log_span(values: Iterable[float], room: float = 1.3) -> tuple[float, float]:
    """Return the ends of a logarithmic axis for all positive values."""
    positive = [value for value in values if drawable(value) and value > 1 / LARGEST]
    return (min(positive) / room, max(positive) * room) if positive else (1.0, 10.0)


@dataclass(frozen=True)
class Frame:
    """The scales, grid, ticks and axis names of a chart."""

    x: Scale
    y: Scale
    x_name: str
    y_name: str
    x_text: Callable[[float], str] = number
    y_text: Callable[[float], str] = number

    def draw(self, title: str, *parts: Markup) -> Markup:
        """Return the chart as an image."""
        return picture(WIDTH, HEIGHT, title, self._grid(), *parts, class_="chart")

    def _grid(self) -> Markup:
        foot, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        parts = []
        for tick in self.x.ticks():
            at = self.x(tick)
            parts += [
                line(at, TOP, at, foot, "grid"),
                label(self.x_text(tick), at, foot + 16),
            ]
        for tick in self.y.ticks():
            at = self.y(tick)
            parts += [
                line(LEFT, at, right, at, "grid"),
                label(self.y_text(tick), LEFT - 6, at + 4, "end"),
            ]
        parts.append(label(self.x_name, (LEFT + right) / 2, HEIGHT - 8, class_="name"))
        parts.append(_upright(self.y_name))
        return join(parts)


def frame(
    x: tuple[float, float],
    y: tuple[float, float],
    x_name: str,
    y_name: str,
    *,
    log_x: bool = False,
    x_text: Callable[[float], str] = number,
    y_text: Callable[[float], str] = number,
) -> Frame:
    """Build the frame of a chart of the usual size over these spans (low, high)."""
    return Frame(
        Scale(*x, LEFT, WIDTH - RIGHT, log_x), Scale(*y, HEIGHT - BOTTOM, TOP),
        x_name, y_name, x_text, y_text,
    )  # fmt: skip


def _upright(text: str) -> Markup:
    middle = (TOP + HEIGHT - BOTTOM) / 2
    return element(
        "g",
        label(text, 0, 0, class_="name"),
        transform=f"translate(11 {middle:g}) rotate(-90)",
    )


def _step(least: float) -> float:
    """Return the smallest of 1, 2 and 5 times a power of ten that is at least this."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))

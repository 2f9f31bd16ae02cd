"""Formats of metrics, numbers, sizes and times for people."""

import math

METRICS = {
    "accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy", "f1": "F1",
    "recall": "Recall", "precision": "Precision", "roc_auc": "ROC AUC",
    "average_precision": "PR AUC", "log_loss": "Log loss", "brier": "Brier score",
    "mae": "MAE", "rmse": "RMSE", "r2": "R²",
    "pinball_10": "Pinball loss .1", "pinball_90": "Pinball loss .9",
}  # fmt: skip
NOTHING = "–"
MINUS = "−"


def metric(name: str) -> str:
    """Return the usual name of a metric, or the given name if it is not in METRICS."""
    return METRICS.get(name, name)


def number(value: float | None, digits: int = 4) -> str:
    """Format a number with so many significant digits: 0.9821, 12,400, 3.1e-07."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude >= 9 or magnitude < -4:
        written = f"{value:.{digits}g}"
    else:
        written = f"{value:,.{max(digits - 1 - magnitude, 0)}f}"
        written = written.rstrip("0").rstrip(".") if "." in written else written
    return f"{MINUS}{written[1:]}" if value < 0 else written


def score(value: float | None) -> str:
    """Format a score with three decimals below 10: 0.982, else as a number: 54.1."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value:.3f}".replace("-", MINUS) if abs(value) < 10 else number(value)


def signed(value: float) -> str:
    """Format a difference with its sign: +0.004."""
    if not math.isfinite(value):
        return NOTHING
    written = score(abs(value))
    return written if value == 0 else f"{MINUS if value < 0 else '+'}{written}"


def percent(value: float) -> str:
    """Format a relative change with its sign: +4.2 %."""
    if not math.isfinite(value):
        return NOTHING
    return f"{MINUS if value < 0 else '+'}{number(abs(value) * 100, 3)} %"


def share(part: float, whole: float, digits: int = 3) -> str:
    """Format a share in per cent; 0 % and 100 % only for exactly none and all."""
    ratio = part / whole if whole else 0.0
    if 0 < ratio < 0.001:
        return "<0.1 %"
    if 0.999 < ratio < 1:
        return ">99.9 %"
    return f"{ratio * 100:.{digits}g} %"


def size(count: int | None) -> str:
    """Format a number of bytes: 812 B, 13.4 kB, 2.1 MB."""
    if count is None:
        return NOTHING
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count} B"


def duration(microseconds: float | None) -> str:
    """Format a time: 12 µs, 3.4 ms, 1.2 s."""
    if microseconds is None or not math.isfinite(microseconds):
        return NOTHING
    for unit, factor in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= factor:
            return f"{microseconds / factor:.3g} {unit}"
    return f"{microseconds:.3g} µs"


def short(text: str, most: int) -> str:
    """Return a text of at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"

"""How metrics, numbers, sizes and times are written for people."""

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
    """A metric's usual name; one that is not known has its own."""
    return METRICS.get(name, name)


def number(value: float | None, digits: int = 4) -> str:
    """A number with at most so many significant digits: 0.9821, 0.2, 12,400, 3.1e-07."""
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
    """A score, three decimals where it is small: 0.982; 54.1 of an error."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value:.3f}".replace("-", MINUS) if abs(value) < 10 else number(value)


def signed(value: float) -> str:
    """With its sign: +0.004."""
    if not math.isfinite(value):
        return NOTHING
    written = score(abs(value))
    return written if value == 0 else f"{MINUS if value < 0 else '+'}{written}"


def percent(value: float) -> str:
    """A change as a share, with its sign: +4.2 %."""
    if not math.isfinite(value):
        return NOTHING
    return f"{MINUS if value < 0 else '+'}{number(abs(value) * 100, 3)} %"


def share(part: float, whole: float, digits: int = 3) -> str:
    """A share in per cent, never 0 % or 100 % for what is not."""
    of = part / whole if whole else 0.0
    if 0 < of < 0.001:
        return "<0.1 %"
    if 0.999 < of < 1:
        return ">99.9 %"
    return f"{of * 100:.{digits}g} %"


def size(count: int | None) -> str:
    """Bytes: 812 B, 13.4 kB, 2.1 MB."""
    if count is None:
        return NOTHING
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count} B"


def duration(microseconds: float | None) -> str:
    """12 µs, 3.4 ms, 1.2 s."""
    if microseconds is None or not math.isfinite(microseconds):
        return NOTHING
    for unit, factor in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= factor:
            return f"{microseconds / factor:.3g} {unit}"
    return f"{microseconds:.3g} µs"


def short(said: str, most: int) -> str:
    """A text of no more than so many characters."""
    return said if len(said) <= most else f"{said[: most - 1]}…"

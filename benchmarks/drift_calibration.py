"""Measure how often the drift rule raises false alarms and finds real shifts.

    .venv/bin/python benchmarks/drift_calibration.py

simulates windows without drift for models of 28 distributions (26 features, score, label), and
applies the rule of the operator (``drift.judge``) to each. A false alarm is a window in which any
distribution is reported. Every profile is fitted on new random rows. The counts of a window are
drawn from the true shares of its bins, so windows are independent and standard errors binomial.

It prints, by family, rows of the profile and rows of the window: the rate for the rule (index >=
0.1 and beyond chance), for the limit of chance alone, and for the usual "index > 0.1". For the
mixed family it also prints the power to find one normal feature that moved by half a standard
deviation, from 0.1 (reported) and from 0.2 (drift).

Writes build/benchmarks/drift_calibration.json. About 7 minutes on a core.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from scipy import stats

from perennial_contracts.stats import drift
from perennial_contracts.wire.profile import Distribution, Profile, fit_categories, fit_numbers

ROOT = Path(__file__).parents[1]
WINDOWS = (100, 200, 500, 1000, 5000)
REPORTED, ACTED_ON = 0.1, 0.2
SHIFT = 0.5
SEED = 20_260_101

Fitted = tuple[Distribution, np.ndarray]
"""Distribution, and the true shares of its bins."""
Kind = Callable[[np.random.Generator, int, str], Fitted]


# --- kinds of features ---


def shares_of_numbers(edges: list[float], below: np.ndarray, missing: float = 0.0) -> np.ndarray:
    """Return the shares of the bins, given P(X < edge) as ``below``."""
    inner = np.diff(np.concatenate([[0.0], below, [1.0]])) if edges else np.ones(1)
    return np.append(inner * (1 - missing), missing)


def normal(random: np.random.Generator, rows: int, name: str, missing: float = 0.0) -> Fitted:
    values = random.normal(size=rows)
    values[random.random(rows) < missing] = np.nan
    fitted = fit_numbers(name, values)
    return fitted, shares_of_numbers(fitted.edges or [], stats.norm.cdf(fitted.edges), missing)


def poisson(random: np.random.Generator, rows: int, name: str) -> Fitted:
    fitted = fit_numbers(name, random.poisson(3, rows).astype(float))
    below = stats.poisson.cdf(np.asarray(fitted.edges) - 1, 3)
    return fitted, shares_of_numbers(fitted.edges or [], below)


def zero_inflated(random: np.random.Generator, rows: int, name: str) -> Fitted:
    zero = random.random(rows) < 0.7
    fitted = fit_numbers(name, np.where(zero, 0.0, random.exponential(size=rows)))
    edges = np.asarray(fitted.edges)
    below = np.where(edges <= 0, 0.0, 0.7 + 0.3 * stats.expon.cdf(edges))
    return fitted, shares_of_numbers(fitted.edges or [], below)


def category(random: np.random.Generator, rows: int, name: str, shares: np.ndarray) -> Fitted:
    texts = np.array([f"c{place}" for place in range(len(shares))], object)
    fitted = fit_categories(name, texts[random.choice(len(shares), rows, p=shares)])
    own = np.array([shares[int(text[1:])] for text in fitted.categories or ()])
    return fitted, np.concatenate([own, [max(0.0, 1 - own.sum()), 0.0]])


def score(random: np.random.Generator, rows: int, name: str) -> Fitted:
    fitted = fit_numbers(name, random.beta(2, 5, rows))
    return fitted, shares_of_numbers(fitted.edges or [], stats.beta.cdf(fitted.edges, 2, 5))


RANKS = np.arange(1, 101)
with_missing: Kind = partial(normal, missing=0.1)
zipf: Kind = partial(category, shares=(1 / RANKS) / (1 / RANKS).sum())
binary: Kind = partial(category, shares=np.array([0.9, 0.1]))
rare: Kind = partial(category, shares=np.array([0.985, 0.01, 0.004, 0.001]))

FAMILIES: dict[str, list[Kind]] = {
    "mixed": [normal] * 7
    + [poisson] * 5
    + [zero_inflated] * 4
    + [with_missing] * 4
    + [zipf] * 4
    + [binary] * 2,
    "normal": [normal] * 26,
    "poisson": [poisson] * 26,
    "zero-inflated": [zero_inflated] * 26,
    "10 % missing": [with_missing] * 26,
    "Zipf, 100 texts": [zipf] * 26,
    "binary": [binary] * 26,
    "rare texts": [rare] * 26,
}


# --- simulation ---


def simulate(
    family: str, kinds: list[Kind], rows: int, turns: int, random: np.random.Generator
) -> list[dict[str, object]]:
    """Return the rates by size of window; each turn has one profile and one window."""
    outcomes: dict[int, list[tuple[bool, ...]]] = {size: [] for size in WINDOWS}
    shown = 0.0
    for turn in range(turns):
        features = [kind(random, rows, f"f{place}") for place, kind in enumerate(kinds)]
        answers = score(random, rows, drift.SCORE), binary(random, rows, drift.LABEL)
        profile = Profile(
            rows=rows,
            features=[distribution for distribution, _ in features],
            score=answers[0][0],
            label=answers[1][0],
        )
        for size in WINDOWS:
            outcomes[size].append(one_window(profile, features, answers, size, family, random))
        if time.monotonic() - shown > 1:
            shown = time.monotonic()
            print(f"\r{family}, {rows} rows: {turn + 1} of {turns} ", end="", file=sys.stderr)
    print("\r" + " " * 60, end="\r", file=sys.stderr)
    return [
        {
            "family": family,
            "profile_rows": rows,
            "window_rows": size,
            "windows": turns,
            **dict(zip(COLUMNS, np.mean(outcomes[size], axis=0).tolist(), strict=False)),
        }
        for size in WINDOWS
    ]


def one_window(
    profile: Profile,
    features: list[Fitted],
    answers: tuple[Fitted, Fitted],
    size: int,
    family: str,
    random: np.random.Generator,
) -> tuple[bool, ...]:
    """Return the columns for a window without drift, and one with a shift if mixed."""
    counts = {
        distribution.name: random.multinomial(size, shares).tolist()
        for distribution, shares in features
    }
    score_counts, label_counts = (
        random.multinomial(size, shares).tolist() for _, shares in answers
    )
    # With 0 the level is that of chance alone, with REPORTED that of the rule.
    judge = partial(drift.judge, profile, warn=0.0, act=REPORTED)
    found = judge(counts, score_counts, label_counts)
    quiet = (
        any(finding.level is drift.Level.ACT for finding in found),
        any(finding.level is not drift.Level.STABLE for finding in found),
        any(finding.psi > REPORTED for finding in found),
    )
    if family != "mixed":
        return quiet
    edges = features[0][0].edges or []
    moved = shares_of_numbers(edges, stats.norm.cdf(edges, loc=SHIFT))
    counts["f0"] = random.multinomial(size, moved).tolist()
    (shifted,) = (
        finding for finding in judge(counts, score_counts, label_counts) if finding.name == "f0"
    )
    return (*quiet, *(shifted.psi >= max(least, shifted.limit) for least in (REPORTED, ACTED_ON)))


COLUMNS = ("rule", "chance", "naive", "power_told", "power_acted_on")


def line(row: dict[str, object]) -> str:
    """Format a line; rates are in per cent with binomial standard errors."""
    cells = [f"{row['family']!s:<16}{row['profile_rows']:>7}{row['window_rows']:>7}"]
    for column in COLUMNS:
        rate = row.get(column)
        if isinstance(rate, float) and isinstance(row["windows"], int):
            error = (rate * (1 - rate) / row["windows"]) ** 0.5
            cells.append(f"{100 * rate:7.2f} ± {100 * error:.2f}")
    return " ".join(cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=5000, help="windows of the mixed family")
    parser.add_argument("--only", choices=FAMILIES, help="one family, with 2000 rows")
    options = parser.parse_args()
    cases = [("mixed", 2000, options.windows)]
    cases += [("mixed", rows, options.windows // 4) for rows in (500, 10_000)]
    cases += [(family, 2000, options.windows // 4) for family in FAMILIES if family != "mixed"]
    if options.only:
        cases = [(options.only, 2000, options.windows)]
    print(f"In per cent, ± one standard error; {drift.ALPHA:.0%} is the target.")
    print(f"{'family':<16}{'profile':>7}{'window':>7} {'rule':>14} {'chance alone':>14}", end="")
    print(f" {'index > 0.1':>14} {'power at 0.1':>14} {'power at 0.2':>14}")
    results = []
    for number, (family, rows, turns) in enumerate(cases):
        random = np.random.default_rng([SEED, number])
        for row in simulate(family, FAMILIES[family], rows, turns, random):
            results.append(row)
            print(line(row), flush=True)
    file = ROOT / "build" / "benchmarks" / "drift_calibration.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()

"""Quantiles of the chi-square distribution, without scipy.

The operator image stays small without it.
"""

import math
from functools import lru_cache

_TINY = 1e-300


@lru_cache(maxsize=4096)
def upper_quantile(degrees: int, tail: float) -> float:
    """Return x with P(X > x) = ``tail`` for chi-square X.

    Bisection on the upper tail; the relative error is about 1e-10.

    Raises:
        ValueError: unless ``degrees`` >= 1 and 0 < ``tail`` < 1.
    """
    if degrees < 1 or not 0 < tail < 1:
        raise ValueError(f"expected degrees >= 1 and 0 < tail < 1, got {degrees} and {tail}")
    low, high = 0.0, float(degrees)
    while _upper_tail(degrees / 2, high / 2) > tail:
        low, high = high, high * 2
    while high - low > 1e-11 * high:
        middle = (low + high) / 2
        if _upper_tail(degrees / 2, middle / 2) > tail:
            low = middle
        else:
            high = middle
    return high


def _upper_tail(a: float, x: float) -> float:
    """Return the regularized gamma function Q(a, x) (DLMF 8.11.4 and 8.9.2)."""
    if x <= 0:
        return 1.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        n = a
        while term > total * 1e-16:
            n += 1
            term *= x / n
            total += term
        return 1 - front * total
    # Continued fraction by Lentz's method.
    b = x + 1 - a
    c, d = 1 / _TINY, 1 / b
    fraction = d
    for i in range(1, 1000):
        step = -i * (i - a)
        b += 2
        d = 1 / (step * d + b or _TINY)
        c = b + step / c or _TINY
        change = c * d
        fraction *= change
        if abs(change - 1) < 1e-15:
            break
    return front * fraction

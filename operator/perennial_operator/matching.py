"""Whether a live object already has all that is wanted of it."""

import re
from decimal import Decimal
from typing import Any

_SUFFIXES = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal(10) ** 3, "M": Decimal(10) ** 6, "G": Decimal(10) ** 9,
    "T": Decimal(10) ** 12, "P": Decimal(10) ** 15, "E": Decimal(10) ** 18,
    "Ki": Decimal(2) ** 10, "Mi": Decimal(2) ** 20, "Gi": Decimal(2) ** 30,
    "Ti": Decimal(2) ** 40, "Pi": Decimal(2) ** 50, "Ei": Decimal(2) ** 60,
}  # fmt: skip
_QUANTITY = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([numkMGTPE]i?)?")
_QUANTITY_FIELDS = {"requests", "limits"}


def has(live: Any, wanted: Any, field: str = "") -> bool:
    """Whether every wanted field stands in the live object; what else stands there is let be.

    Lists must be equally long and match one by one. Empty values match absent ones, and quantities
    match by value, since the API server writes both in its own way.
    """
    if isinstance(wanted, dict):
        live = live or {}
        if not isinstance(live, dict):
            return False
        if field in _QUANTITY_FIELDS:
            return live.keys() == wanted.keys() and all(
                quantity(live[name]) == quantity(value) for name, value in wanted.items()
            )
        return all(has(live.get(name), value, name) for name, value in wanted.items())
    if isinstance(wanted, list):
        live = live or []
        return len(live) == len(wanted) and all(
            has(one, other, field) for one, other in zip(live, wanted, strict=True)
        )
    return bool(live == wanted) or (not live and not wanted)


def quantity(value: int | str) -> Decimal | str:
    """The value of a Kubernetes quantity; the text itself where it is none.

    >>> quantity("500m") == quantity("0.5")
    True
    """
    text = str(value)
    match = _QUANTITY.fullmatch(text)
    if not match or (match[2] or "") not in _SUFFIXES:
        return text
    return Decimal(match[1]) * _SUFFIXES[match[2] or ""]

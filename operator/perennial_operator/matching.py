"""Compare a live object with the wanted one."""

from decimal import Decimal
from typing import Any

from kubernetes.utils import parse_quantity

_QUANTITY_FIELDS = {"requests", "limits"}


def contains(live: Any, wanted: Any, field: str = "") -> bool:
    """Return whether the live object has every wanted field. Others are ignored.

    Lists must have the same length and match element by element. The API server writes defaults and
    quantities in its own way, so an empty value matches an absent one, and quantities match by
    value.
    """
    if isinstance(wanted, dict):
        live = live or {}
        if not isinstance(live, dict):
            return False
        if field in _QUANTITY_FIELDS:
            return live.keys() == wanted.keys() and all(
                quantity(live[name]) == quantity(value) for name, value in wanted.items()
            )
        return all(contains(live.get(name), value, name) for name, value in wanted.items())
    if isinstance(wanted, list):
        live = live or []
        return len(live) == len(wanted) and all(
            contains(live_element, element, field)
            for live_element, element in zip(live, wanted, strict=True)
        )
    return bool(live == wanted) or (not live and not wanted)


def quantity(value: int | str) -> Decimal | str:
    """Return the value of a Kubernetes quantity; the text itself if it is none.

    >>> quantity("500m") == quantity("0.5")
    True
    """
    try:
        number: Decimal = parse_quantity(value)
    except ValueError:
        return str(value)
    # A NaN equals nothing, not even itself: the object would be applied again and again.
    return number if number.is_finite() else str(value)

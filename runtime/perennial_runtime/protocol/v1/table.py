"""Rows of a table as v1 clients send them: a value bare, or alone in a list, or as base64."""

from collections.abc import Callable, Mapping, Sequence
from operator import is_
from typing import Any

from ...errors import BadRequestError
from ...signature import TensorSpec
from ..shared.columns import Columns, Feeds
from ..shared.elements import WrongElementError
from .binary import is_binary, read_texts


class Table:
    """Reads rows for one tabular model."""

    def __init__(self, features: Sequence[TensorSpec]) -> None:
        self._columns = Columns(features)

    def of_objects(self, rows: Sequence[Any]) -> Feeds:
        """See :meth:`Columns.of_objects`."""
        return _read(self._columns.of_objects, rows)

    def of_lists(self, rows: Sequence[Any]) -> Feeds:
        """See :meth:`Columns.of_lists`."""
        return _read(self._columns.of_lists, rows)

    def of_columns(self, columns: Mapping[str, Any]) -> Feeds | None:
        """Of a list for each feature; None where they are not bare values, equally many, that fit.

        Then they may fit one by one, or the message about the one that does not is better.
        """
        if set(map(type, columns.values())) != {list} or len(set(map(len, columns.values()))) > 1:
            return None
        try:
            return self._columns.of_columns(columns)
        except BadRequestError:
            return None


def _read(read: Callable[[Sequence[Any]], Feeds], rows: Sequence[Any]) -> Feeds:
    try:
        return read(rows)  # most clients send bare values: for those nothing is looked at twice
    except BadRequestError:
        bare = [_bare_row(place, row) for place, row in enumerate(rows)]
        # Not by ==, which recurses as deep as the lists of a hostile body are nested.
        if all(map(is_, bare, rows)):
            raise
        return read(bare)


def _bare_row(place: int, row: Any) -> Any:
    """The row with bare values; itself where it has no others."""
    if type(row) is dict:
        values = [_bare(place, name, value) for name, value in row.items()]
        return row if all(map(is_, values, row.values())) else dict(zip(row, values, strict=True))
    if type(row) is list:
        values = [_bare(place, index, value) for index, value in enumerate(row)]
        return row if all(map(is_, values, row)) else values
    return row


def _bare(place: int, name: str | int, value: Any) -> Any:
    if type(value) is list and len(value) == 1:
        (value,) = value
    if not is_binary(value):
        return value
    try:
        return read_texts([value])[0]
    except WrongElementError as error:
        raise BadRequestError(f"row {place}: feature {name!r}: {error}") from None

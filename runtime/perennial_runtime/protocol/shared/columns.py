"""Rows of a table to the inputs of a model that has one for each feature. No I/O.

Features of one type are converted together: making an array costs more than the values of a row.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from ...errors import BadRequestError
from ...signature import TensorSpec
from .elements import WrongElementError, elements
from .messages import brief, quoted

Feeds = dict[str, np.ndarray]


class Columns:
    """Reads rows for one tabular model."""

    def __init__(self, features: Sequence[TensorSpec]) -> None:
        self.names = tuple(feature.name for feature in features)
        self._known = frozenset(self.names)
        kinds: dict[tuple[str, int], list[int]] = {}
        for place, feature in enumerate(features):
            kinds.setdefault((feature.datatype, len(feature.shape)), []).append(place)
        self._groups = [_Group(features, places) for places in kinds.values()]

    def of_objects(self, rows: Sequence[Any]) -> Feeds:
        """Of ``{feature: value}`` for each row; a value that is left out is a missing one.

        Raises:
            BadRequestError: naming the row (from 0) and the feature, what was expected, what came.
        """
        known = self._known
        for place, row in enumerate(rows):
            if type(row) is not dict:
                raise BadRequestError(f"row {place}: expected an object, got {brief(row)}")
            if not row.keys() <= known:
                raise self._unknown(place, row)
        feeds: Feeds = {}
        for group in self._groups:
            feeds.update(zip(group.names, group.of_objects(rows), strict=True))
        return feeds

    def of_lists(self, rows: Sequence[Any]) -> Feeds:
        """Of a list for each row, with a value for each feature in the model's order.

        Raises:
            BadRequestError: naming the row (from 0) and the feature, what was expected, what came.
        """
        count = len(self.names)
        for place, row in enumerate(rows):
            if type(row) is not list or len(row) != count:
                got = f"{len(row)} values" if type(row) is list else brief(row)
                raise BadRequestError(
                    f"row {place}: expected a list of {count} values, in the order "
                    f"{quoted(self.names)}, got {got}"
                )
        feeds: Feeds = {}
        for group in self._groups:
            feeds.update(zip(group.names, group.of_lists(rows), strict=True))
        return feeds

    def of_columns(self, columns: Mapping[str, Sequence[Any]]) -> Feeds:
        """Of a list for each feature, all of one length.

        Raises:
            BadRequestError: naming the row (from 0) and the feature, what was expected, what came.
        """
        feeds: Feeds = {}
        for group in self._groups:
            feeds.update(zip(group.names, group.of_columns(columns), strict=True))
        return feeds

    def is_about_features(self, row: Mapping[str, Any]) -> bool:
        """Whether an object has any of the features."""
        return not self._known.isdisjoint(row)

    def _unknown(self, place: int, row: Mapping[str, Any]) -> BadRequestError:
        name = next(name for name in row if name not in self._known)
        near = difflib.get_close_matches(name, self.names, 1)
        hint = f". Did you mean {near[0]!r}?" if near else ""
        return BadRequestError(
            f"row {place}: expected features {quoted(self.names)}, got {name!r}{hint}"
        )


class _Group:
    """The features of one element type and rank."""

    def __init__(self, features: Sequence[TensorSpec], places: Sequence[int]) -> None:
        self.names = tuple(features[place].name for place in places)
        self._datatype = features[places[0]].datatype
        self._dtype = features[places[0]].dtype
        self._is_flat = len(features[places[0]].shape) == 1
        self._values_by_name = _picker(self.names)
        self._values_by_place = _picker(places)

    def of_objects(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[np.ndarray]:
        try:
            values = list(chain.from_iterable(map(self._values_by_name, rows)))
        except KeyError:
            values = [row.get(name) for row in rows for name in self.names]
        return self._of_rows(values)

    def of_lists(self, rows: Sequence[Sequence[Any]]) -> Iterator[np.ndarray]:
        return self._of_rows(list(chain.from_iterable(map(self._values_by_place, rows))))

    def of_columns(self, columns: Mapping[str, Sequence[Any]]) -> Iterator[np.ndarray]:
        values = list(chain.from_iterable(self._values_by_name(columns)))
        rows = len(values) // len(self.names)
        try:
            table = elements(self._datatype, self._dtype, values).reshape(len(self.names), -1)
        except WrongElementError as error:
            place, row = divmod(error.place, rows)
            raise self._wrong(row, place, error) from None
        return self._each(table)

    def _of_rows(self, values: list[Any]) -> Iterator[np.ndarray]:
        """Of values in the order of rows, then features."""
        count = len(self.names)
        try:
            table = elements(self._datatype, self._dtype, values).reshape(-1, count)
        except WrongElementError as error:
            row, place = divmod(error.place, count)
            raise self._wrong(row, place, error) from None
        return self._each(np.ascontiguousarray(table.T))

    def _each(self, table: np.ndarray) -> Iterator[np.ndarray]:
        """The input for each feature, of an array of shape (features, rows)."""
        return iter(table if self._is_flat else table[:, :, np.newaxis])

    def _wrong(self, row: int, place: int, error: WrongElementError) -> BadRequestError:
        return BadRequestError(f"row {row}: feature {self.names[place]!r}: {error}")


def _picker(keys: Sequence[Any]) -> Any:
    """A function that gives the values of some keys as a sequence."""
    if len(keys) > 1:
        return itemgetter(*keys)
    (key,) = keys
    return lambda row: (row[key],)

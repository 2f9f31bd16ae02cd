"""Rows of a table to inputs, one for each feature. No I/O.

Features of one datatype are converted together: creating an array costs more than the values of a
row.
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
        self._name_set = frozenset(self.names)
        kinds: dict[tuple[str, int], list[int]] = {}
        for index, feature in enumerate(features):
            kinds.setdefault((feature.datatype, len(feature.shape)), []).append(index)
        self._groups = [_Group(features, indices) for indices in kinds.values()]

    def of_objects(self, rows: Sequence[Any]) -> Feeds:
        """Convert ``{feature: value}`` for each row. Omitted features are missing.

        Raises:
            BadRequestError: with the row (from 0), the feature, and the expected and actual value.
        """
        names = self._name_set
        for index, row in enumerate(rows):
            if type(row) is not dict:
                raise BadRequestError(f"row {index}: expected an object, got {brief(row)}")
            if not row.keys() <= names:
                raise self._unknown(index, row)
        feeds: Feeds = {}
        for group in self._groups:
            feeds.update(zip(group.names, group.of_objects(rows), strict=True))
        return feeds

    def of_lists(self, rows: Sequence[Any]) -> Feeds:
        """Convert a list for each row, with a value for each feature in the model's order.

        Raises:
            BadRequestError: with the row (from 0), the feature, and the expected and actual value.
        """
        count = len(self.names)
        for index, row in enumerate(rows):
            if type(row) is not list or len(row) != count:
                got = f"{len(row)} values" if type(row) is list else brief(row)
                raise BadRequestError(
                    f"row {index}: expected a list of {count} values, in the order "
                    f"{quoted(self.names)}, got {got}"
                )
        feeds: Feeds = {}
        for group in self._groups:
            feeds.update(zip(group.names, group.of_lists(rows), strict=True))
        return feeds

    def of_columns(self, columns: Mapping[str, Sequence[Any]]) -> Feeds:
        """Convert a list for each feature, all of the same length.

        Raises:
            BadRequestError: with the row (from 0), the feature, and the expected and actual value.
        """
        feeds: Feeds = {}
        for group in self._groups:
            feeds.update(zip(group.names, group.of_columns(columns), strict=True))
        return feeds

    def has_feature(self, row: Mapping[str, Any]) -> bool:
        """Return whether an object has at least one of the features."""
        return not self._name_set.isdisjoint(row)

    def _unknown(self, index: int, row: Mapping[str, Any]) -> BadRequestError:
        name = next(name for name in row if name not in self._name_set)
        near = difflib.get_close_matches(name, self.names, 1)
        hint = f". Did you mean {near[0]!r}?" if near else ""
        return BadRequestError(
            f"row {index}: expected features {quoted(self.names)}, got {name!r}{hint}"
        )


class _Group:
    """The features of one datatype and rank."""

    def __init__(self, features: Sequence[TensorSpec], indices: Sequence[int]) -> None:
        first = features[indices[0]]
        self.names = tuple(features[index].name for index in indices)
        self._datatype = first.datatype
        self._dtype = first.dtype
        self._is_flat = len(first.shape) == 1
        self._values_by_name = _getter(self.names)
        self._values_by_index = _getter(indices)

    def of_objects(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[np.ndarray]:
        try:
            values = list(chain.from_iterable(map(self._values_by_name, rows)))
        except KeyError:
            values = [row.get(name) for row in rows for name in self.names]
        return self._of_rows(values)

    def of_lists(self, rows: Sequence[Sequence[Any]]) -> Iterator[np.ndarray]:
        return self._of_rows(list(chain.from_iterable(map(self._values_by_index, rows))))

    def of_columns(self, columns: Mapping[str, Sequence[Any]]) -> Iterator[np.ndarray]:
        values = list(chain.from_iterable(self._values_by_name(columns)))
        rows = len(values) // len(self.names)
        try:
            table = elements(self._datatype, self._dtype, values).reshape(len(self.names), -1)
        except WrongElementError as error:
            feature, row = divmod(error.index, rows)
            raise self._wrong(row, feature, error) from None
        return self._split(table)

    def _of_rows(self, values: list[Any]) -> Iterator[np.ndarray]:
        """Convert values in the order of rows, then features."""
        count = len(self.names)
        try:
            table = elements(self._datatype, self._dtype, values).reshape(-1, count)
        except WrongElementError as error:
            row, feature = divmod(error.index, count)
            raise self._wrong(row, feature, error) from None
        return self._split(np.ascontiguousarray(table.T))

    def _split(self, table: np.ndarray) -> Iterator[np.ndarray]:
        """Return the input for each feature, from an array of shape (features, rows)."""
        return iter(table if self._is_flat else table[:, :, np.newaxis])

    def _wrong(self, row: int, feature: int, error: WrongElementError) -> BadRequestError:
        return BadRequestError(f"row {row}: feature {self.names[feature]!r}: {error}")


def _getter(keys: Sequence[Any]) -> Any:
    """Return a function that returns the values of some keys as a sequence."""
    if len(keys) > 1:
        return itemgetter(*keys)
    (key,) = keys
    return lambda row: (row[key],)

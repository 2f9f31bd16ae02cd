"""Encoding of a model's inputs as a matrix of numbers, in NumPy and in ONNX."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .samples import Feeds, count

MAX_CATEGORIES = 100
ENCODED = "student_rows"


@dataclass(frozen=True)
class Column:
    """The encoding of an input."""

    name: str
    width: int
    """Number of values in a row."""
    texts: tuple[tuple[str, ...], ...] = ()
    """Categories of each value in a row; empty for numbers."""


@dataclass(frozen=True)
class Encoding:
    """An encoding of rows: fill in missing numbers, then scale all columns."""

    columns: tuple[Column, ...]
    fill: np.ndarray
    """Replacement of missing values: the median. Shape (width,), float32."""
    mean: np.ndarray
    deviation: np.ndarray
    """Standard deviation; 1 for a constant column."""

    @classmethod
    def learn(cls, feeds: Feeds) -> "Encoding":
        """Fit an encoding to rows."""
        columns = tuple(_column(name, values) for name, values in feeds.items())
        raw = _raw(columns, feeds)
        finite = np.where(np.isfinite(raw), raw, np.nan)
        empty = np.isnan(finite).all(axis=0)
        fill = np.nan_to_num(np.nanmedian(np.where(empty, 0, finite), axis=0)).astype(np.float32)
        whole = np.where(np.isfinite(raw), raw, fill)
        deviation = whole.std(axis=0)
        return cls(columns, fill, whole.mean(axis=0), np.where(deviation > 1e-6, deviation, 1))

    def encode(self, feeds: Feeds) -> np.ndarray:
        """Return rows as a matrix, shape (rows, width), float32."""
        raw = _raw(self.columns, feeds)
        filled = np.where(np.isnan(raw), self.fill, raw)
        return np.asarray((filled - self.mean) / self.deviation, np.float32)

    def nodes(self) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
        """Return the nodes that compute the tensor ENCODED, and their weights."""
        nodes: list[onnx.NodeProto] = []
        weights: list[onnx.TensorProto] = []

        def weight(name: str, values: np.ndarray) -> str:
            weights.append(numpy_helper.from_array(values, f"student_{name}"))
            return f"student_{name}"

        parts = []
        for index, column in enumerate(self.columns):
            flat, part = f"student_{index}_flat", f"student_{index}"
            if not column.width:
                continue
            shape = weight(f"{index}_shape", np.array([-1, column.width], np.int64))
            if not column.texts:
                nodes.append(helper.make_node("Cast", [column.name], [flat], to=TensorProto.FLOAT))
                nodes.append(helper.make_node("Reshape", [flat, shape], [part]))
                parts.append(part)
                continue
            nodes.append(helper.make_node("Reshape", [column.name, shape], [flat]))
            for at, categories in enumerate(column.texts):
                text, spread = f"{part}_{at}_text", f"{part}_{at}"
                position = weight(f"{index}_{at}_place", np.array([at], np.int64))
                nodes.append(helper.make_node("Gather", [flat, position], [text], axis=1))
                nodes.append(
                    helper.make_node(
                        "OneHotEncoder", [text], [f"{spread}_hot"], domain="ai.onnx.ml",
                        cats_strings=list(categories), zeros=1,
                    )
                )  # fmt: skip
                wide = weight(f"{index}_{at}_shape", np.array([-1, len(categories)], np.int64))
                nodes.append(helper.make_node("Reshape", [f"{spread}_hot", wide], [spread]))
                parts.append(spread)
        nodes += [
            helper.make_node("Concat", parts, ["student_raw"], axis=1),
            helper.make_node("IsNaN", ["student_raw"], ["student_missing"]),
            helper.make_node(
                "Where",
                ["student_missing", weight("fill", self.fill), "student_raw"],
                ["student_filled"],
            ),
            helper.make_node(
                "Sub", ["student_filled", weight("mean", self.mean)], ["student_centred"]
            ),
            helper.make_node(
                "Div", ["student_centred", weight("deviation", self.deviation)], [ENCODED]
            ),
        ]
        return nodes, weights


def _column(name: str, values: np.ndarray) -> Column:
    flat = values.reshape(len(values), -1)
    if values.dtype.kind not in "OSU":
        return Column(name, flat.shape[1])
    return Column(
        name, flat.shape[1], tuple(_categories(flat[:, at]) for at in range(flat.shape[1]))
    )


def _categories(values: np.ndarray) -> tuple[str, ...]:
    """Return the most frequent texts, sorted."""
    texts, counts = np.unique(values.astype(str), return_counts=True)
    often = np.argsort(-counts, kind="stable")[:MAX_CATEGORIES]
    return tuple(texts[np.sort(often)].tolist())


def _raw(columns: Sequence[Column], feeds: Feeds) -> np.ndarray:
    rows, parts = count(feeds), []
    for column in columns:
        flat = feeds[column.name].reshape(rows, -1)
        if not column.texts:
            with np.errstate(over="ignore"):
                parts.append(flat.astype(np.float32))
            continue
        for at, categories in enumerate(column.texts):
            texts = flat[:, at].astype(str)[:, None]
            parts.append((texts == np.array(categories)).astype(np.float32))
    return np.concatenate(parts, axis=1)

"""A model's inputs as one matrix of numbers, and the same in ONNX."""

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
    """What an input becomes."""

    name: str
    width: int
    """Values a row."""
    texts: tuple[tuple[str, ...], ...] = ()
    """Of an input of texts: for each value in a row the categories that are told apart."""


@dataclass(frozen=True)
class Encoding:
    """How rows become a matrix: missing numbers are filled in, then all are scaled."""

    columns: tuple[Column, ...]
    fill: np.ndarray
    """Shape (width,), float32: the median."""
    mean: np.ndarray
    deviation: np.ndarray
    """1 where a value does not vary."""

    @classmethod
    def learn(cls, feeds: Feeds) -> "Encoding":
        """The encoding of rows like these."""
        columns = tuple(_column(name, values) for name, values in feeds.items())
        raw = _raw(columns, feeds)
        known = np.where(np.isfinite(raw), raw, np.nan)
        empty = np.isnan(known).all(axis=0)
        fill = np.nan_to_num(np.nanmedian(np.where(empty, 0, known), axis=0)).astype(np.float32)
        whole = np.where(np.isfinite(raw), raw, fill)
        deviation = whole.std(axis=0)
        return cls(columns, fill, whole.mean(axis=0), np.where(deviation > 1e-6, deviation, 1))

    def encode(self, feeds: Feeds) -> np.ndarray:
        """Rows as a matrix, shape (rows, width), float32."""
        raw = _raw(self.columns, feeds)
        filled = np.where(np.isnan(raw), self.fill, raw)
        return np.asarray((filled - self.mean) / self.deviation, np.float32)

    def nodes(self) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
        """The same in ONNX: nodes that make the tensor ENCODED, and their weights."""
        nodes: list[onnx.NodeProto] = []
        weights: list[onnx.TensorProto] = []

        def weight(name: str, values: np.ndarray) -> str:
            weights.append(numpy_helper.from_array(values, f"student_{name}"))
            return f"student_{name}"

        parts = []
        for place, column in enumerate(self.columns):
            flat, part = f"student_{place}_flat", f"student_{place}"
            if not column.width:
                continue
            shape = weight(f"{place}_shape", np.array([-1, column.width], np.int64))
            if not column.texts:
                nodes.append(helper.make_node("Cast", [column.name], [flat], to=TensorProto.FLOAT))
                nodes.append(helper.make_node("Reshape", [flat, shape], [part]))
                parts.append(part)
                continue
            nodes.append(helper.make_node("Reshape", [column.name, shape], [flat]))
            for at, known in enumerate(column.texts):
                one, spread = f"{part}_{at}_text", f"{part}_{at}"
                where = weight(f"{place}_{at}_place", np.array([at], np.int64))
                nodes.append(helper.make_node("Gather", [flat, where], [one], axis=1))
                nodes.append(
                    helper.make_node(
                        "OneHotEncoder", [one], [f"{spread}_hot"], domain="ai.onnx.ml",
                        cats_strings=list(known), zeros=1,
                    )
                )  # fmt: skip
                wide = weight(f"{place}_{at}_shape", np.array([-1, len(known)], np.int64))
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
    """The most frequent texts, in sorting order."""
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
        for at, known in enumerate(column.texts):
            parts.append((flat[:, at].astype(str)[:, None] == np.array(known)).astype(np.float32))
    return np.concatenate(parts, axis=1)

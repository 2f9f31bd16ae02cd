"""``:predict``: rows to rows (``instances``), or tensors to tensors (``inputs``)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from perennial_contracts.wire.names import LABEL

from ...classes import Classes
from ...errors import BadRequestError
from ...signature import TensorSpec, is_tabular
from ..shared.columns import Feeds
from ..shared.messages import brief, quoted
from .inputs import BASE64_SUFFIX, Table, is_base64, read_tensor, write_base64
from .json_body import dumps, read_request


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """A checked request."""

    feeds: Feeds
    outputs: Sequence[str]
    """Names of the requested outputs, in order."""
    has_rows: bool
    """True for ``instances``, whose response has an entry for each row."""


class PredictCodec:
    """Translates ``:predict`` for one model.

    If all inputs have one value for each row, rows may be objects by feature, in which a missing
    value is null or left out, or lists in the order of the features.
    """

    def __init__(
        self,
        name: str,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        classes: Classes | None,
    ) -> None:
        self._model = name
        self._inputs = {tensor.name: tensor for tensor in inputs}
        self._only = inputs[0] if len(inputs) == 1 else None
        self._table = Table(inputs) if is_tabular(inputs) else None
        self._outputs = tuple(outputs)
        self._names = tuple(tensor.name for tensor in outputs)
        self._classes = classes

    def decode(self, body: bytes) -> PredictRequest:
        """Read the body of a request.

        Raises:
            BadRequestError: with the tensor or the row, and the expected and actual content.
        """
        request = read_request(body)
        if ("instances" in request) == ("inputs" in request):
            raise BadRequestError(
                'body: expected either "instances" (rows) or "inputs" (whole tensors), '
                f"got {'both' if 'inputs' in request else 'neither'}"
            )
        if "inputs" in request:
            return PredictRequest(self._of_tensors(request["inputs"]), self._names, False)
        rows = request["instances"]
        if type(rows) is not list or not rows:
            raise BadRequestError(
                f"instances: expected a list of one row or more, got {brief(rows)}"
            )
        return PredictRequest(self._of_rows(rows), self._names, True)

    def encode(self, request: PredictRequest, results: Sequence[np.ndarray]) -> bytes:
        """Return the body of the response. A model's only output has no name in it.

        Raises:
            BadRequestError: if the outputs of a request by rows differ in their number of rows.
        """
        if request.has_rows:
            self._check_rows(results)
        values = [self._value(*pair) for pair in zip(self._outputs, results, strict=True)]
        names = self._names
        if len(values) == 1:
            (content,) = values
        elif request.has_rows:
            rows = zip(*values, strict=True)
            content = [dict(zip(names, row, strict=True)) for row in rows]
        else:
            content = dict(zip(names, values, strict=True))
        return dumps({"predictions" if request.has_rows else "outputs": content})

    def _of_rows(self, rows: list[Any]) -> Feeds:
        is_named = type(rows[0]) is dict and not is_base64(rows[0])
        if self._table is not None:
            if is_named:
                return self._table.of_objects(rows)
            if self._only is None:
                return self._table.of_lists(rows)
        if self._only is not None and not is_named:
            return {self._only.name: read_tensor(self._only, rows)}
        for index, row in enumerate(rows):
            if type(row) is not dict or row.keys() != self._inputs.keys():
                raise BadRequestError(
                    f"instances: row {index}: expected an object with {quoted(self._inputs)}, "
                    f"got {_described(row)}"
                )
        return {
            name: read_tensor(spec, [row[name] for row in rows])
            for name, spec in self._inputs.items()
        }

    def _of_tensors(self, inputs: Any) -> Feeds:
        if type(inputs) is list and inputs and type(inputs[0]) is dict and "datatype" in inputs[0]:
            raise BadRequestError(
                "inputs: expected values, got tensors of the v2 protocol. "
                f"Fix: send them to /v2/models/{self._model}/infer"
            )
        if self._only is not None and (type(inputs) is not dict or is_base64(inputs)):
            return {self._only.name: read_tensor(self._only, inputs)}
        if type(inputs) is not dict or inputs.keys() != self._inputs.keys():
            raise BadRequestError(
                f"inputs: expected an object with {quoted(self._inputs)}, got {_described(inputs)}"
            )
        feeds = self._table.of_columns(inputs) if self._table is not None else None
        if feeds is not None:
            return feeds
        return {name: read_tensor(spec, inputs[name]) for name, spec in self._inputs.items()}

    def _check_rows(self, results: Sequence[np.ndarray]) -> None:
        counts = {len(result) if result.ndim else -1 for result in results}
        if len(counts) > 1 or -1 in counts:
            shapes = ", ".join(
                f"{name!r} {list(result.shape)}"
                for name, result in zip(self._names, results, strict=True)
            )
            raise BadRequestError(
                f"instances: the model's outputs {shapes} are not one row for each instance. "
                'Fix: send whole tensors: {"inputs": ...}'
            )

    def _value(self, spec: TensorSpec, result: np.ndarray) -> Any:
        """Return an output in a form that :func:`dumps` takes."""
        if spec.datatype == "BYTES":
            texts = result.tolist()
            return write_base64(texts) if spec.name.endswith(BASE64_SUFFIX) else texts
        if self._classes is not None and self._classes.are_numbered and spec.name == LABEL:
            return self._classes.own(result)
        if not result.ndim:
            return result.item()
        if result.ndim == 1:
            # Rows contain the single values, and orjson does not write all of NumPy's scalars.
            return result.tolist()
        return result if result.flags.c_contiguous else result.copy()


def _described(value: Any) -> str:
    """Describe the actual value, where an object with all inputs was expected."""
    return f"one with {quoted(value) or 'nothing'}" if type(value) is dict else brief(value)

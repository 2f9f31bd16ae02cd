"""A form to ask the model something. It is filled in with a request that works."""

import json
import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np

from perennial_contracts.wire.profile import Distribution, Profile

from ..samples import MANY_ELEMENTS, sample_row, sample_size, sample_tensor
from ..signature import TensorSpec, is_tabular
from .markup import Markup, element, join
from .sections import section

MANY_FEATURES = 60
"""From here on a row is written as JSON, rather than into a field for each feature."""
KINDS = {"f": "number", "i": "integer", "u": "integer", "b": "boolean", "O": "text"}
LOCAL = "http://localhost:8080/"
"""Stands in the command until the script knows better."""


def form(model_path: str, inputs: Sequence[TensorSpec], profile: Profile | None) -> Markup:
    """The form, the command that does the same, and a place for the answer.

    Args:
        model_path: the model's own, relative to the page.
    """
    row = sample_row(inputs, profile) if is_tabular(inputs) else None
    request: dict[str, Any]
    hint = ""
    if row is not None:
        path, request = f"{model_path}/predict", {"instances": [row]}
    else:
        is_large = sum(map(sample_size, inputs)) >= MANY_ELEMENTS
        path = f"{model_path}/infer"
        request = {"inputs": [sample_tensor(spec, with_data=not is_large) for spec in inputs]}
        hint = "Where a tensor's data is left out, zeros are sent. " if is_large else ""
    if row is not None and len(inputs) < MANY_FEATURES:
        body = _fields(inputs, row, profile)
        hint = "Leave a field empty for a missing value. " if _can_miss(inputs) else ""
    else:
        body = _text(request)
    command = f"curl {LOCAL}{path} -d {shlex.quote(json.dumps(request))}"
    asked = element(
        "form",
        body,
        element("p", hint, "What is sent is counted like any other request.", class_="faint"),
        element("button", "Predict", type="submit", disabled=True),
        element("noscript", element("p", "Sending needs JavaScript; the command does without.")),
        id="try",
        data_path=path,
        autocomplete="off",
    )
    answer = element(
        "div",
        element("p", "The answer appears here.", class_="faint"),
        id="answer",
        role="status",
        aria_live="polite",
    )
    return section(
        "Try it",
        "form",
        element("div", asked, answer, class_="trial"),
        element("div", element("h3", "The same from a shell"),
                element("button", "Copy", type="button", id="copy", hidden=True), class_="bar-of"),
        element("pre", element("code", command, id="curl"), tabindex=0,
                aria_label="The command"),
    )  # fmt: skip


def _can_miss(inputs: Sequence[TensorSpec]) -> bool:
    return any(tensor.dtype.kind in "fO" for tensor in inputs)


def _text(request: dict[str, Any]) -> Markup:
    # One tensor, or one row, a line.
    key, entries = next(iter(request.items()))
    lines = ",\n  ".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    return join(
        element("label", "Request, as JSON", for_="request"),
        element("textarea", f'{{"{key}": [\n  {lines}\n]}}', id="request", rows=10,
                spellcheck="false"),
    )  # fmt: skip


def _fields(inputs: Sequence[TensorSpec], row: dict[str, Any], profile: Profile | None) -> Markup:
    known = {d.name: d for d in profile.features} if profile else {}
    fields = (
        _field(place, tensor, row[tensor.name], known.get(tensor.name))
        for place, tensor in enumerate(inputs)
    )
    return element("div", *fields, class_="fields")


def _field(place: int, tensor: TensorSpec, value: Any, seen: Distribution | None) -> Markup:
    kind = KINDS[tensor.dtype.kind]
    identity = f"f{place}"
    label = element(
        "label", element("span", tensor.name), element("small", tensor.datatype), for_=identity
    )
    common = {"id": identity, "name": tensor.name, "data_kind": kind}
    if kind == "boolean":
        choices = (
            element("option", said, value=said, selected=said == json.dumps(value))
            for said in ("false", "true")
        )
        return element("div", label, element("select", *choices, **common), class_="field")
    categories = (seen.categories or []) if seen else []
    suggestions = element(
        "datalist", *(element("option", value=name) for name in categories), id=f"l{place}"
    )
    more: dict[str, Any] = {"type": "text", "placeholder": "missing"}
    if kind != "text":
        more = {"type": "number", "step": "any", "placeholder": "missing"}
    if kind == "integer":
        limits = np.iinfo(tensor.dtype)
        more = {"type": "number", "step": 1, "required": True}
        if tensor.dtype.itemsize < 8:  # beyond it a browser compares with too few digits
            more |= {"min": limits.min, "max": limits.max}
        elif tensor.dtype.kind == "u":
            more |= {"min": 0}
    field = element(
        "input", value=value, list=f"l{place}" if categories else None, **common, **more
    )
    return element("div", label, field, suggestions if categories else "", class_="field")

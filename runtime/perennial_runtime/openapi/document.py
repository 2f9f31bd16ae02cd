"""The document as a whole."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson

from perennial_contracts.wire.bundle import Bundle
from perennial_contracts.wire.profile import Profile

from ..classes import Classes
from ..signature import TensorSpec
from . import rows, tensors, v1
from .operations import FRONT_ROUTES, MODEL, V2_ROUTES, Route
from .responses import ERROR_SCHEMA, error_responses
from .served import Served
from .values import Schema


def openapi(
    *,
    name: str,
    version: str,
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
    classes: Classes | None = None,
    bundle: Bundle | None = None,
    profile: Profile | None = None,
    properties: Mapping[str, str] | None = None,
    routes: Collection[Route] = (*FRONT_ROUTES, *V2_ROUTES),
    binary_tensors: bool = False,
    bare_rows: bool = False,
    limits_load: bool = False,
) -> bytes:
    """The OpenAPI 3.1 document of one model, as JSON.

    Args:
        name: the model's in URLs.
        version: the first digits of its digest.
        properties: of the model's metadata; the digest among them.
        routes: those that the server serves; what this model has not, such as rows where it takes
            tensors, is left out by itself.
        binary_tensors: whether the server reads and writes tensors as bytes after a JSON head.
        bare_rows: whether /predict takes rows without their envelope.
        limits_load: whether the server answers 429 where too many requests are in flight.
    """
    served = Served(
        name=name,
        version=version,
        inputs=inputs,
        outputs=outputs,
        classes=classes,
        are_labels_stated=bundle is not None and bundle.labels is not None,
        profile=profile,
        binary_tensors=binary_tensors,
        bare_rows=bare_rows,
        limits_load=limits_load,
    )
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route.exists(served):
            path = route.path.replace(MODEL, quote(name, safe=""))
            paths.setdefault(path, {})[route.method] = {
                "operationId": route.key,
                "summary": route.summary,
                **route.parts(served),
            }
    schemas = {"Error": ERROR_SCHEMA, **tensors.schemas(served), **v1.schemas(served)}
    if served.is_tabular:
        schemas |= rows.schemas(served)
    else:
        schemas |= rows.contracts()
    components = _used(paths, {"schemas": schemas, "responses": error_responses()})
    return orjson.dumps(
        {
            "openapi": "3.1.0",
            "info": {
                "title": name,
                "version": version,
                "description": _description(name, properties or {}),
            },
            # Relative to this document, for proxies that add a prefix to the path.
            "servers": [{"url": "."}],
            "paths": paths,
            "components": components,
        }
    )


def _description(name: str, properties: Mapping[str, str]) -> str:
    digest = properties.get("digest")
    return (
        f"The model {name}{f' with the digest {digest}' if digest else ''}, served by Perennial. "
        "Bodies are read as JSON whatever their Content-Type, unless it says otherwise. "
        'Every error is answered with {"error": "..."}; a method that a path has not, with 405 '
        "and the header Allow."
    )


def _used(
    paths: Mapping[str, Any], components: Mapping[str, Mapping[str, Schema]]
) -> dict[str, dict[str, Schema]]:
    """The components that the paths refer to, and those to which these do."""
    found: dict[str, dict[str, Schema]] = {kind: {} for kind in components}
    waiting = list(_references(paths))
    while waiting:
        kind, key = waiting.pop().split("/")[-2:]
        if key not in found[kind]:
            found[kind][key] = components[kind][key]
            waiting.extend(_references(found[kind][key]))
    return {kind: dict(sorted(entries.items())) for kind, entries in found.items()}


def _references(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        target = document.get("$ref")
        # A feature may have that name, and its value is in an example.
        if isinstance(target, str) and len(document) == 1 and target.startswith("#/components/"):
            yield target
        for value in document.values():
            yield from _references(value)
    elif isinstance(document, list):
        for value in document:
            yield from _references(value)

"""The document as a whole."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import orjson

from ..description import ModelDescription
from . import rows, tensors, v1
from .operations import MODEL, SERVER_OPERATIONS, V1_OPERATIONS, V2_OPERATIONS, Operation
from .responses import ERROR_SCHEMA, error_responses
from .values import Schema


def openapi(
    model: ModelDescription,
    operations: Collection[Operation] = (*SERVER_OPERATIONS, *V2_OPERATIONS, *V1_OPERATIONS),
) -> bytes:
    """Return the OpenAPI 3.1 document of one model, as JSON.

    Args:
        model: its facts.
        operations: the operations of the server. The document omits those that do not suit the
            model, such as /predict for a model of tensors.
    """
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        if operation.exists(model):
            path = operation.path.replace(MODEL, quote(model.name, safe=""))
            paths.setdefault(path, {})[operation.method] = {
                "operationId": operation.key,
                "summary": operation.summary,
                **operation.parts(model),
            }
    schemas = {"Error": ERROR_SCHEMA, **tensors.schemas(model), **v1.schemas(model)}
    if model.is_tabular:
        schemas |= rows.schemas(model)
    else:
        schemas |= rows.contracts()
    components = _used(paths, {"schemas": schemas, "responses": error_responses()})
    return orjson.dumps(
        {
            "openapi": "3.1.0",
            "info": {
                "title": model.name,
                "version": model.version,
                "description": _description(model),
            },
            # Relative to this document, for proxies that add a prefix to the path.
            "servers": [{"url": "."}],
            "paths": paths,
            "components": components,
        }
    )


def _description(model: ModelDescription) -> str:
    digest = model.properties.get("digest")
    return (
        f"The model {model.name}{f' with the digest {digest}' if digest else ''}, served by "
        "Perennial. The server reads bodies as JSON with any Content-Type, unless an "
        'operation describes another format. Every error has the body {"error": "..."}. A method '
        "that a path does not support gets 405 with the header Allow."
    )


def _used(
    paths: Mapping[str, Any], components: Mapping[str, Mapping[str, Schema]]
) -> dict[str, dict[str, Schema]]:
    """Return the components that the paths use, directly or through others."""
    used: dict[str, dict[str, Schema]] = {kind: {} for kind in components}
    waiting = list(_references(paths))
    while waiting:
        kind, key = waiting.pop().split("/")[-2:]
        if key not in used[kind]:
            used[kind][key] = components[kind][key]
            waiting.extend(_references(used[kind][key]))
    return {kind: dict(sorted(entries.items())) for kind, entries in used.items()}


def _references(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        target = document.get("$ref")
        # An example has a "$ref", too, if a feature has that name.
        if isinstance(target, str) and len(document) == 1 and target.startswith("#/components/"):
            yield target
        for value in document.values():
            yield from _references(value)
    elif isinstance(document, list):
        for value in document:
            yield from _references(value)

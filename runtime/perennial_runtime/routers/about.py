"""What the server says of its model: a page for people, an OpenAPI document for their tools."""

from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from ..answer import JSON, Answer
from ..frontends import Call
from ..openapi import FRONT_ROUTES, V1_ROUTES, V2_ROUTES, openapi
from ..page import CONTENT_SECURITY_POLICY, CONTENT_TYPE, page_of

if TYPE_CHECKING:
    from ..service import Service

ALIVE = Answer(orjson.dumps({"status": "alive"}), JSON, (("vary", "accept"),))
"""What KServe's v1 clients look for at the root."""


class About:
    """Made when it is first asked for."""

    def __init__(self, service: "Service") -> None:
        self._service = service
        self._page = cache(self._make_page)
        self._document = cache(self._make_document)

    def page(self, call: Call) -> Answer:
        """The page, for browsers; a word of life for everybody else."""
        return self._page() if "text/html" in (call.header("accept") or "") else ALIVE

    def openapi(self, call: Call) -> Answer:
        return self._document()

    def _make_page(self) -> Answer:
        headers = (
            ("content-security-policy", CONTENT_SECURITY_POLICY),
            ("x-content-type-options", "nosniff"),
            ("vary", "accept"),
        )
        return Answer(page_of(**self._facts()), CONTENT_TYPE, headers)

    def _make_document(self) -> Answer:
        document = openapi(
            **self._facts(),
            routes=(*FRONT_ROUTES, *V2_ROUTES, *V1_ROUTES),
            binary_tensors=True,
            bare_rows=True,
            limits_load=True,
        )
        return Answer(document)

    def _facts(self) -> dict[str, Any]:
        model = self._service.model
        return {
            "name": self._service.name,
            "version": model.version,
            "inputs": model.inputs,
            "outputs": model.outputs,
            "classes": model.classes,
            "bundle": model.bundle,
            "profile": model.profiled.profile if model.profiled else None,
            "properties": self._service.properties(),
        }

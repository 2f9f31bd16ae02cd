"""Descriptions of the model: a page for people, an OpenAPI document for tools."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

import orjson

from ..description import ModelDescription
from ..frontends import Call
from ..openapi import openapi
from ..page import CONTENT_SECURITY_POLICY, CONTENT_TYPE, render_page
from ..routing import JSON, Response

if TYPE_CHECKING:
    from ..service import Service

ALIVE = Response(orjson.dumps({"status": "alive"}), JSON, (("vary", "accept"),))
"""Response that KServe's v1 clients expect at the root."""


class About:
    """Page and document of a model, made at their first request."""

    def __init__(self, service: "Service") -> None:
        self._service = service
        self._is_rendered = False
        self._thread = ThreadPoolExecutor(1, "page")  # it starts with the first request
        self._page = cache(self._make_page)
        self._document = cache(self._make_document)

    def page(self, call: Call) -> Response:
        """Return the page for browsers, and a sign of life for other clients."""
        return self._page() if "text/html" in (call.header("accept") or "") else ALIVE

    def submit(self, respond: Callable[[], None]) -> None:
        """Respond in another thread until the page is rendered.

        The first page imports Jinja2, which takes a tenth of a second. Requests to the model would
        wait for it. All requests share the thread: a load balancer that checks this path, and never
        accepts HTML, must not start a thread each time.
        """
        if self._is_rendered:
            respond()
        else:
            self._thread.submit(respond)

    def openapi(self, call: Call) -> Response:
        """Return the OpenAPI document."""
        return self._document()

    def _make_page(self) -> Response:
        headers = (
            ("content-security-policy", CONTENT_SECURITY_POLICY),
            ("x-content-type-options", "nosniff"),
            ("vary", "accept"),
        )
        page = render_page(self._describe())
        self._is_rendered = True
        return Response(page, CONTENT_TYPE, headers)

    def _make_document(self) -> Response:
        return Response(openapi(self._describe()))

    def _describe(self) -> ModelDescription:
        model = self._service.model
        return ModelDescription(
            name=self._service.name,
            version=model.version,
            inputs=model.inputs,
            outputs=model.outputs,
            classes=model.classes,
            bundle=model.bundle,
            profile=model.profiled.profile if model.profiled else None,
            properties=self._service.properties(),
        )

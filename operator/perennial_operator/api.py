"""Send requests to the API server, with plain dictionaries in and out.

The official client provides credentials, connections and TLS. Its models are not used, since to
build and validate them takes longer than the request.
"""

import json
from typing import Any
from urllib.parse import urlencode

from kubernetes.aio import client, config

from . import metrics
from .objects import EVENT, Kind, Object

FIELD_MANAGER = "perennial-operator"
PAGE = 500
"""Objects in one page of a list."""


class ApiError(Exception):
    """An error response of the API server."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(f"{code} {reason}: {message}")
        self.code = code
        self.reason = reason
        self.message = message


class Api:
    """A connection to the API server."""

    def __init__(self, connection: client.ApiClient) -> None:
        self._client = connection

    @classmethod
    async def connect(cls) -> "Api":
        """Connect with the ServiceAccount of the pod, or else with the kubeconfig."""
        configuration = client.Configuration()
        configuration.connection_pool_maxsize = 64
        try:
            config.load_incluster_config(client_configuration=configuration)
        except config.ConfigException:
            await config.load_kube_config(client_configuration=configuration)
        return cls(client.ApiClient(configuration))

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """Return an object. Raise ApiError 404 if it does not exist."""
        return await self._request("GET", "get", kind, kind.path(namespace, name))

    async def create(self, kind: Kind, obj: Object) -> Object:
        """Create an object. Raise ApiError 409 if its name is taken."""
        return await self._request(
            "POST",
            "create",
            kind,
            kind.path(obj["metadata"]["namespace"]),
            body=obj,
            query={"fieldManager": FIELD_MANAGER},
        )

    async def apply(self, kind: Kind, obj: Object, subresource: str = "") -> Object:
        """Apply an object on the server, and take over its fields from other managers."""
        metadata = obj["metadata"]
        return await self._request(
            "PATCH",
            "apply",
            kind,
            kind.path(metadata["namespace"], metadata["name"], subresource),
            body=obj,
            query={"fieldManager": FIELD_MANAGER, "force": "true"},
            content_type="application/apply-patch+yaml",
        )

    async def delete(self, kind: Kind, obj: Object) -> None:
        """Delete this very object, and not a later one with the same name."""
        metadata = obj["metadata"]
        body = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": "Background",
            "preconditions": {"uid": metadata["uid"]},
        }
        path = kind.path(metadata["namespace"], metadata["name"])
        try:
            await self._request("DELETE", "delete", kind, path, body=body)
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    async def list(self, kind: Kind, namespace: str | None, selector: str = "") -> list[Object]:
        """Return all objects of a kind, read page by page."""
        items: list[Object] = []
        token = ""
        while True:
            query = {"limit": str(PAGE)}
            if selector:
                query["labelSelector"] = selector
            if token:
                query["continue"] = token
            page = await self._request("GET", "list", kind, kind.path(namespace), query=query)
            items += page["items"]
            token = page["metadata"].get("continue", "")
            if not token:
                return items

    async def post_event(self, namespace: str, event: Object) -> None:
        """Create an event."""
        await self._request("POST", "create", EVENT, EVENT.path(namespace), body=event)

    async def _request(
        self,
        method: str,
        verb: str,
        kind: Kind,
        path: str,
        *,
        body: Object | None = None,
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        await self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        url = f"{self._client.configuration.host}{path}"
        if query:
            url += f"?{urlencode(query)}"
        response = await self._client.call_api(method, url, headers, body)
        data = await response.read()
        metrics.API_REQUESTS.labels(verb, kind.name, str(response.status)).inc()
        result: Object = parsed(data)
        if response.status >= 400:
            raise ApiError(
                response.status, result.get("reason", "Unknown"), result.get("message", "")
            )
        return result


def parsed(data: bytes) -> Any:
    """Return a response body as JSON. Plain text, as for unknown kinds, is a message."""
    try:
        return json.loads(data) if data else {}
    except ValueError:
        return {"message": data[:1024].decode(errors="replace").strip()}

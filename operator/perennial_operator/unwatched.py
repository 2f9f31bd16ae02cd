"""Get the children that no watch reports, by name, when a decision needs them."""

from dataclasses import replace

from .api import Api, ApiError
from .objects import Kind, Object, is_owned_by
from .world import RunWorld

_NOT_FOUND = "NotFound"
"""Reason of a response with status 404 if the kind is served, but the object does not exist."""


async def add_children(api: Api, world: RunWorld, wanted: list[tuple[Kind, str]]) -> RunWorld:
    """Return the world with those of the wanted objects that the resource controls.

    They come before its other children, so that they are deleted first.
    """
    if not wanted:
        return world
    found: dict[tuple[str, str], Object] = {}
    missing = set()
    for kind, name in wanted:
        try:
            obj = await api.get(kind, world.namespace, name)
        except ApiError as error:
            if error.code != 404:
                raise
            if error.reason != _NOT_FOUND:
                missing.add(kind.name)
            continue
        if is_owned_by(obj, world.uid):
            found[kind.name, name] = obj
    children = {**found, **world.children}
    return replace(world, children=children, missing_kinds=frozenset(missing))

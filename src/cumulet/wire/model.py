"""Service models: botocore's own files, read without their documentation, and questions about their shapes.

A model is loaded once per service and stays in memory, so prose (three quarters of the bytes) is dropped on the
way in. Only botocore's built-in data is read: models that a user keeps in `~/.aws/models` would make the platform
answer differently from machine to machine.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import botocore
import orjson

from cumulet.wire.shapes import Shape

DATA = Path(botocore.__file__).with_name("data")
FILES = ("service-2.json.gz", "service-2.json")
SERVICE_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
METADATA = re.compile(r'\s*\{\s*(?:"version"\s*:\s*"[0-9.]*"\s*,\s*)?"metadata"\s*:\s*')
METADATA_END_BYTES = 4096
"""Where the metadata ends at the latest."""
GZIP = 31
"""zlib's window for data with gzip's header."""


class UnknownServiceError(KeyError):
    """AWS has no service of this name (botocore's folder name, e.g. `sqs`, `lambda`, `events`)."""


def description(service: str) -> dict[str, Any]:
    """Return the newest model description of a service; the caller owns it. UnknownServiceError without one."""
    path = _file(service)
    data = path.read_bytes()
    found: dict[str, Any] = _without_documentation(orjson.loads(gzip.decompress(data) if _is_gzip(path) else data))
    return found


@cache
def metadata(service: str) -> dict[str, Any]:
    """Return what a description says of the service as a whole, in a fraction of the time that all of it takes."""
    found: dict[str, Any] = _metadata_in_front(_file(service)) or description(service)["metadata"]
    return found


def _metadata_in_front(path: Path) -> Any:
    """Return the metadata where a file begins with it, as all of today's do, else None."""
    with path.open("rb") as file:
        data = file.read(METADATA_END_BYTES)
    if _is_gzip(path):
        data = zlib.decompressobj(GZIP).decompress(data, METADATA_END_BYTES)
    text = data.decode(errors="replace")
    place = METADATA.match(text)
    try:
        return place and json.JSONDecoder().raw_decode(text, place.end())[0]
    except ValueError:
        return None


def _file(service: str) -> Path:
    """Return the file of the newest description of a service."""
    if SERVICE_NAME.fullmatch(service) is None:
        raise UnknownServiceError(service)
    try:
        versions = sorted((DATA / service).iterdir(), reverse=True)
    except OSError:
        raise UnknownServiceError(service) from None
    for version in versions:
        for name in FILES:
            path = version / name
            if path.is_file():
                return path
    raise UnknownServiceError(service)


def _is_gzip(path: Path) -> bool:
    return path.suffix == ".gz"


def _without_documentation(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: _without_documentation(value)
            for key, value in node.items()
            if key != "documentation" or not isinstance(value, str)
        }
    if isinstance(node, list):
        return [_without_documentation(item) for item in node]
    return node


def wire_name(shape: Shape, name: str) -> str:
    """Return what a member (or map key, map value, list item) called `name` is called on the wire."""
    found: str = shape.traits.get("locationName", name)
    return found


def is_document(shape: Shape) -> bool:
    """Is it any JSON value, passed through as it is?"""
    return shape.type_name == "structure" and bool(shape.traits.get("document"))


def is_union(shape: Shape) -> bool:
    """Is it a structure of which exactly one member is set?"""
    return shape.type_name == "structure" and bool(shape.traits.get("union"))


def is_sparse(shape: Shape) -> bool:
    """May a list or map hold nulls?"""
    return bool(shape.traits.get("sparse"))


def body_members(shape: Shape | None) -> dict[str, Shape]:
    """Return the members of a structure that travel in the body, in the model's order."""
    if shape is None:
        return {}
    return {name: member for name, member in shape.members.items() if "location" not in member.traits}


AGGREGATES = frozenset({"structure", "list", "map"})


class Reach:
    """Tells whether a wanted shape is in the tree below (and including) a shape. Recursive shapes end."""

    def __init__(self, is_wanted: Callable[[Shape], bool]) -> None:
        self._is_wanted = is_wanted
        self._known: dict[str, bool] = {}

    def __call__(self, shape: Shape) -> bool:
        seen: set[str] = set()
        found = self._search(shape, seen)
        # A search that found nothing has settled it for everything that it passed.
        self._known.update(dict.fromkeys(() if found else seen, False))
        if shape.type_name in AGGREGATES:
            self._known[shape.name] = found
        return found

    def _search(self, shape: Shape, seen: set[str]) -> bool:
        if shape.type_name not in AGGREGATES or is_document(shape):
            return self._is_wanted(shape)
        known = self._known.get(shape.name)
        if known is not None or shape.name in seen:
            return bool(known)
        seen.add(shape.name)
        return self._is_wanted(shape) or any(self._search(child, seen) for child in children(shape))


def children(shape: Shape) -> list[Shape]:
    """Return the shapes directly below a structure, list or map."""
    if shape.type_name == "structure":
        return list(shape.members.values())
    if shape.type_name == "list":
        return [shape.member]
    return [shape.key, shape.value]


def nests_without_bound(shape: Shape) -> bool:
    """Does a shape below (or the shape itself) contain itself, or is a document below?"""
    return _nests(shape, set(), set())


def _nests(shape: Shape, path: set[str], finished: set[str]) -> bool:
    if is_document(shape) or shape.name in path:
        return True
    if shape.type_name not in AGGREGATES or shape.name in finished:
        return False
    path.add(shape.name)
    found = any(_nests(child, path, finished) for child in children(shape))
    path.discard(shape.name)
    finished.add(shape.name)
    return found

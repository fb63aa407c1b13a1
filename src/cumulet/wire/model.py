"""Service models: botocore's own files, read without their documentation, corrected by our overlays.

A model is loaded once per service and stays in memory, so prose (three quarters of the bytes) is dropped on the
way in. Only botocore's built-in data is read: models that a user keeps in `~/.aws/models` would make the platform
answer differently from machine to machine.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from botocore.exceptions import DataNotFoundError
from botocore.loaders import Loader
from botocore.model import ServiceModel

if TYPE_CHECKING:
    from botocore.model import Shape

SERVICE_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


class UnknownServiceError(KeyError):
    """AWS has no service of this name (botocore's folder name, e.g. `sqs`, `lambda`, `events`)."""


class _ModelFiles:
    """What botocore's `Loader` reads files with, minus the documentation."""

    def exists(self, file_path: str) -> bool:
        return any(path.is_file() for path in _candidates(file_path))

    def load_file(self, file_path: str) -> Any:
        for path in _candidates(file_path):
            if path.is_file():
                data = path.read_bytes()
                return _without_documentation(orjson.loads(gzip.decompress(data) if path.suffix == ".gz" else data))
        return None


def _candidates(file_path: str) -> Iterator[Path]:
    yield Path(file_path + ".json.gz")
    yield Path(file_path + ".json")


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


def description(service: str) -> dict[str, Any]:
    """Return the newest model description of a service; the caller owns it. UnknownServiceError without one."""
    if SERVICE_NAME.fullmatch(service) is None:
        raise UnknownServiceError(service)
    loader = Loader(
        file_loader=_ModelFiles(), include_default_search_paths=False, extra_search_paths=[Loader.BUILTIN_DATA_PATH]
    )
    try:
        version = loader.determine_latest_version(service, "service-2")
        loaded: dict[str, Any] = loader.load_data(f"{service}/{version}/service-2")
    except DataNotFoundError:
        raise UnknownServiceError(service) from None
    return loaded


def service_model(service: str, content: dict[str, Any]) -> ServiceModel:
    """Return botocore's view of a description."""
    return ServiceModel(content, service)


def wire_name(shape: Shape, name: str) -> str:
    """Return what a member (or map key, map value, list item) called `name` is called on the wire."""
    found: str = shape.serialization.get("name", name)
    return found


def is_document(shape: Shape) -> bool:
    """Is it any JSON value, passed through as it is?"""
    return shape.type_name == "structure" and bool(shape.metadata.get("document"))


def is_union(shape: Shape) -> bool:
    """Is it a structure of which exactly one member is set?"""
    return shape.type_name == "structure" and bool(shape.metadata.get("union"))


def is_sparse(shape: Shape) -> bool:
    """May a list or map hold nulls?"""
    return bool(shape._shape_model.get("sparse"))


def body_members(shape: Shape | None) -> dict[str, Shape]:
    """Return the members of a structure that travel in the body, in the model's order."""
    if shape is None:
        return {}
    return {name: member for name, member in shape.members.items() if "location" not in member.serialization}


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

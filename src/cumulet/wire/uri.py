"""Paths of REST operations: the model's templates compiled into a tree that finds an operation.

A path is split before its parts are decoded, so a label may hold an encoded slash. Fixed parts win over labels,
labels over greedy ones (`{Key+}`, which take one or more segments and keep double slashes). An operation whose
template has a query (`/things?type=x`) wins over one without when the request has it. A slash at the end is
ignored unless a greedy label ends the template.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

import msgspec

if TYPE_CHECKING:
    from cumulet.wire.service import WireService

Labels = dict[str, str]
Match = tuple[str, Labels]


class _Target(msgspec.Struct):
    """An operation at the end of a path: its query conditions and the names of the labels on the way."""

    operation: str
    labels: tuple[str, ...]
    query: tuple[tuple[str, str | None], ...]


class _Node(msgspec.Struct):
    fixed: dict[str, _Node] = msgspec.field(default_factory=dict)
    label: _Node | None = None
    greedy: _Node | None = None
    targets: list[_Target] = msgspec.field(default_factory=list)

    @property
    def goes_on(self) -> bool:
        """Can a path go on below this node?"""
        return bool(self.fixed or self.label or self.greedy)


class Router:
    """Finds the operation of a REST request among those of one service."""

    def __init__(self, templates: Iterable[tuple[str, str, str]]) -> None:
        """Compile (operation, method, requestUri) triples."""
        self._roots: dict[str, _Node] = {}
        for operation, method, template in templates:
            self._add(operation, method, template)

    @classmethod
    def of(cls, service: WireService) -> Router:
        """Return the router of a service's operations."""
        https = {name: service.model.operation_model(name).http for name in sorted(service.operation_names)}
        return cls([(name, http["method"], http["requestUri"]) for name, http in https.items()])

    def match(self, method: str, segments: Sequence[bytes], query: Mapping[str, str] | None = None) -> Match | None:
        """Return the operation and its decoded labels, None when no template matches.

        `segments` are those of `split`; `query` holds the first value of each decoded query parameter.
        """
        root = self._roots.get(method)
        if root is None:
            return None
        for target, values in _walk(root, segments, 0, ()):
            if _meets(target, query or {}):
                return target.operation, dict(zip(target.labels, values, strict=True))
        return None

    def _add(self, operation: str, method: str, template: str) -> None:
        path, _, query = template.partition("?")
        node = self._roots.setdefault(method, _Node())
        labels = []
        for segment in split(path.encode()):
            text = segment.decode()
            if not (text.startswith("{") and text.endswith("}")):
                node = node.fixed.setdefault(text, _Node())
            elif text.endswith("+}"):
                labels.append(text[1:-2])
                node.greedy = node = node.greedy or _Node()
            else:
                labels.append(text[1:-1])
                node.label = node = node.label or _Node()
        node.targets.append(_Target(operation, tuple(labels), _conditions(query)))
        node.targets.sort(key=lambda target: -len(target.query))


def split(raw_path: bytes) -> list[bytes]:
    """Return the segments of a percent-encoded path; empty ones stay, except for the one before the first slash."""
    return raw_path.removeprefix(b"/").split(b"/")


def _conditions(query: str) -> tuple[tuple[str, str | None], ...]:
    parts = (part.partition("=") for part in query.split("&") if part)
    return tuple((name, value if equals else None) for name, equals, value in parts)


def _meets(target: _Target, query: Mapping[str, str]) -> bool:
    return all(name in query and value in (None, query[name]) for name, value in target.query)


def _walk(
    node: _Node, segments: Sequence[bytes], position: int, values: tuple[str, ...]
) -> Iterator[tuple[_Target, tuple[str, ...]]]:
    """Yield the targets that a path reaches, the most specific first."""
    rest = len(segments) - position
    if rest == 0 or (rest == 1 and segments[position] == b""):
        yield from ((target, values) for target in node.targets)
    if rest == 0:
        return
    text = _decoded(segments[position])
    if (fixed := node.fixed.get(text)) is not None:
        yield from _walk(fixed, segments, position + 1, values)
    if node.label is not None and text:
        yield from _walk(node.label, segments, position + 1, (*values, text))
    if node.greedy is not None:
        ends = range(len(segments), position, -1) if node.greedy.goes_on else (len(segments),)
        for end in ends:
            if taken := _decoded(b"/".join(segments[position:end])):
                yield from _walk(node.greedy, segments, end, (*values, taken))


def _decoded(segment: bytes) -> str:
    """Return a percent-decoded segment; empty, which no label takes, when it is not UTF-8."""
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        return ""

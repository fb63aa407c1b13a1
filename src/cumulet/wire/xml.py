"""Values as XML elements, one compiled writer per member. XML has no place for most control characters: they
become U+FFFD, and a carriage return is escaped so that it survives parsing.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from cumulet.wire import timestamps
from cumulet.wire.json_values import spelled_float
from cumulet.wire.model import wire_name
from cumulet.wire.shapes import Shape
from cumulet.wire.typed import FLOATS

DECLARATION = '<?xml version="1.0"?>'
_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

Write = Callable[[list[str], Any], None]


def escaped(text: str) -> str:
    """Return text that is safe between tags and in attributes."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if '"' in text:
        text = text.replace('"', "&quot;")
    if not text.isprintable():
        text = _FORBIDDEN.sub("\ufffd", text.replace("\r", "&#xD;"))
    return text


class Writers:
    """Compiles the writers of one model; a recursive structure finds its own by name when it runs."""

    def __init__(self) -> None:
        self._members: dict[str, Write] = {}
        self._under_way: set[str] = set()

    def members(self, members: Mapping[str, Shape]) -> Write:
        """Return what writes the members of a structure that are present, in the model's order."""
        steps = [(name, self.element(shape, _element_name(shape, name))) for name, shape in members.items()]

        def write_members(out: list[str], value: Any) -> None:
            for name, write in steps:
                item = value.get(name)
                if item is not None:
                    write(out, item)

        return write_members

    def element(self, shape: Shape, tag: str) -> Write:
        """Return what writes a value as element `tag` (flattened lists and maps: one element per item)."""
        kind = shape.type_name
        if kind == "list":
            return self._list(shape, tag)
        if kind == "map":
            return self._map(shape, tag)
        opening, closing = f"<{tag}{_namespace(shape)}>", f"</{tag}>"
        if kind == "structure":
            content = self._content(shape)

            def write_structure(out: list[str], value: Any) -> None:
                out.append(opening)
                content(out, value)
                out.append(closing)

            return write_structure
        text = _text(shape)

        def write_scalar(out: list[str], value: Any) -> None:
            out.append(f"{opening}{text(value)}{closing}")

        return write_scalar

    def _content(self, shape: Shape) -> Write:
        name, made = shape.name, self._members
        if name in self._under_way:
            return lambda out, value: made[name](out, value)
        if name not in made:
            self._under_way.add(name)
            made[name] = self.members(shape.members)
            self._under_way.discard(name)
        return made[name]

    def _list(self, shape: Shape, tag: str) -> Write:
        if shape.traits.get("flattened"):
            flat = self.element(shape.member, tag)

            def write_flat(out: list[str], value: Any) -> None:
                for item in value:
                    if item is not None:
                        flat(out, item)

            return write_flat
        nested = self.element(shape.member, wire_name(shape.member, "member"))
        opening, closing = f"<{tag}{_namespace(shape)}>", f"</{tag}>"

        def write_nested(out: list[str], value: Any) -> None:
            out.append(opening)
            for item in value:
                if item is not None:
                    nested(out, item)
            out.append(closing)

        return write_nested

    def _map(self, shape: Shape, tag: str) -> Write:
        is_flat = bool(shape.traits.get("flattened"))
        write_key = self.element(shape.key, wire_name(shape.key, "key"))
        write_value = self.element(shape.value, wire_name(shape.value, "value"))
        entry = tag if is_flat else "entry"

        def write_map(out: list[str], value: Any) -> None:
            if not is_flat:
                out.append(f"<{tag}>")
            for key, item in value.items():
                if item is not None:
                    out.append(f"<{entry}>")
                    write_key(out, key)
                    write_value(out, item)
                    out.append(f"</{entry}>")
            if not is_flat:
                out.append(f"</{tag}>")

        return write_map


def _element_name(shape: Shape, name: str) -> str:
    if shape.type_name == "list" and shape.traits.get("flattened"):
        return wire_name(shape.member, wire_name(shape, name))
    return wire_name(shape, name)


def _namespace(shape: Shape) -> str:
    namespace = shape.traits.get("xmlNamespace")
    if not namespace:
        return ""
    uri = namespace if isinstance(namespace, str) else namespace["uri"]
    prefix = "" if isinstance(namespace, str) or not namespace.get("prefix") else f":{namespace['prefix']}"
    return f' xmlns{prefix}="{escaped(uri)}"'


def _text(shape: Shape) -> Callable[[Any], str]:
    kind = shape.type_name
    if kind == "boolean":
        return lambda value: "true" if value else "false"
    if kind == "blob":
        return lambda value: base64.b64encode(value.encode() if isinstance(value, str) else value).decode("ascii")
    if kind == "timestamp":
        return timestamps.FORMATTERS[timestamps.normalized(shape.traits.get("timestampFormat", timestamps.ISO))]
    if kind in FLOATS:
        return lambda value: str(spelled_float(value))
    if kind in ("integer", "long"):
        return str
    return escaped

"""Members of REST messages outside the body: labels, query parameters, headers, prefixed headers, the status."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from cumulet.kernel.errors import SerializationException
from cumulet.wire import form, json_body, lenient, scalars, timestamps
from cumulet.wire.http import HttpRequest, HttpResponse
from cumulet.wire.json_values import spelled_float
from cumulet.wire.model import wire_name
from cumulet.wire.shapes import Shape
from cumulet.wire.typed import FLOATS

Parse = Callable[[str], Any]
INVALID_HEADER = "A header is not UTF-8"

# A header's list item is quoted when it holds a comma or a quote.
_ITEM = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*))\s*(?:,|$)')
_LINE_BREAKS = re.compile("[\r\n\0]+")


class RequestParts:
    """Reads the members of one input shape that stand outside the body."""

    def __init__(self, shape: Shape) -> None:
        located = [(name, member, member.traits.get("location")) for name, member in shape.members.items()]
        self._labels = [
            (name, wire_name(member, name), scalars.parser(member, SerializationException))
            for name, member, location in located
            if location == "uri"
        ]
        self._headers = [
            (name, wire_name(member, name).lower().encode(), _header_parser(member))
            for name, member, location in located
            if location == "header"
        ]
        self._prefixes = [
            (name, wire_name(member, name).lower()) for name, member, location in located if location == "headers"
        ]
        query = [(name, member) for name, member, location in located if location == "querystring"]
        self._query = [
            (name, wire_name(member, name), _query_parser(member))
            for name, member in query
            if member.type_name != "map"
        ]
        self._query_maps = [
            (name, member.value.type_name == "list") for name, member in query if member.type_name == "map"
        ]

    def read(self, request: HttpRequest, labels: Mapping[str, str], into: dict[str, Any]) -> None:
        """Add the members that the request has."""
        for name, wire, parse in self._labels:
            if wire in labels:
                into[name] = parse(labels[wire])
        if request.query and (self._query or self._query_maps):
            self._read_query(request.query, into)
        for name, header, parse in self._headers:
            value = request.headers.get(header)
            if value is not None:
                into[name] = parse(_header_text(value))
        for name, prefix in self._prefixes:
            found = {
                header[len(prefix) :].decode("latin-1"): _header_text(value)
                for header, value in request.headers.items()
                if header.startswith(prefix.encode())
            }
            if found:
                into[name] = found

    def _read_query(self, query: bytes, into: dict[str, Any]) -> None:
        given: dict[str, list[str]] = {}
        for key, text in form.pairs(query):
            given.setdefault(key, []).append(text)
        for name, wire, parse in self._query:
            if wire in given:
                into[name] = parse(given[wire])
        # A map of parameters takes all, those that other members are bound to as well.
        for name, has_lists in self._query_maps:
            if given:
                into[name] = given if has_lists else {key: texts[0] for key, texts in given.items()}


def _query_parser(shape: Shape) -> Callable[[list[str]], Any]:
    if shape.type_name == "list":
        item = scalars.parser(shape.member, SerializationException)
        return lambda texts: [item(text) for text in texts]
    parse = scalars.parser(shape, SerializationException)
    return lambda texts: parse(texts[0])


def _header_parser(shape: Shape) -> Parse:
    if shape.traits.get("jsonvalue"):
        return lambda text: json_body.parse(lenient.decode_base64(text))
    if shape.type_name == "list":
        item = scalars.parser(shape.member, SerializationException)
        if shape.member.type_name == "timestamp":
            return lambda text: [item(part) for part in _dates(text)]
        return lambda text: [item(part) for part in header_items(text)]
    return scalars.parser(shape, SerializationException)


def header_items(text: str) -> list[str]:
    """Return the items of a header's list, unquoted."""
    items = []
    position = 0
    while position < len(text):
        found = _ITEM.match(text, position)
        if found is None or found.end() == position:
            # A quote that never closes: what is left is one item.
            items.append(text[position:].strip())
            break
        quoted, plain = found.groups()
        items.append(plain.strip() if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        position = found.end()
    return items


def _dates(text: str) -> list[str]:
    """Return the timestamps of a list; an HTTP date has a comma of its own."""
    parts = [part.strip() for part in text.split(",")]
    dates: list[str] = []
    for part in parts:
        if dates and len(dates[-1]) == len("Mon") and dates[-1].isalpha():
            dates[-1] += f", {part}"
        else:
            dates.append(part)
    return dates


def _header_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise SerializationException(INVALID_HEADER) from None


class ResponseParts:
    """Writes the members of one output (or error) shape that stand outside the body."""

    def __init__(self, shape: Shape | None) -> None:
        located = (
            []
            if shape is None
            else [(name, member, member.traits.get("location")) for name, member in shape.members.items()]
        )
        self._headers = [
            (name, wire_name(member, name).lower().encode(), _header_writer(member))
            for name, member, location in located
            if location == "header"
        ]
        self._prefixes = [
            (name, wire_name(member, name).lower()) for name, member, location in located if location == "headers"
        ]
        self._status = next((name for name, _, location in located if location == "statusCode"), None)

    def write(self, value: Mapping[str, Any], response: HttpResponse) -> None:
        """Add the result's members to a response."""
        for name, header, write in self._headers:
            member = value.get(name)
            if member is not None and member != []:
                response.headers.append((header, _header_bytes(write(member))))
        for name, prefix in self._prefixes:
            for key, text in (value.get(name) or {}).items():
                response.headers.append((f"{prefix}{key.lower()}".encode(), _header_bytes(text)))
        if self._status is not None and value.get(self._status) is not None:
            response.status = value[self._status]


def _header_writer(shape: Shape) -> Callable[[Any], str]:
    kind = shape.type_name
    if shape.traits.get("jsonvalue"):
        return lambda value: base64.b64encode(orjson.dumps(value)).decode("ascii")
    if kind == "list":
        item = _header_writer(shape.member)
        if shape.member.type_name in ("string", "character"):
            return lambda value: ",".join(_quoted(text) for text in value)
        return lambda value: ",".join(item(part) for part in value)
    if kind == "timestamp":
        name = shape.traits.get("timestampFormat", timestamps.HTTP_DATE)
        return timestamps.FORMATTERS[timestamps.normalized(name)]
    if kind == "boolean":
        return lambda value: "true" if value else "false"
    if kind in FLOATS:
        return lambda value: str(spelled_float(value))
    if kind == "blob":
        return lambda value: base64.b64encode(value).decode("ascii")
    return str


def _quoted(text: str) -> str:
    if '"' not in text and "," not in text:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _header_bytes(text: str) -> bytes:
    """Return a header's value; a line break would end the header."""
    return _LINE_BREAKS.sub(" ", text).encode()

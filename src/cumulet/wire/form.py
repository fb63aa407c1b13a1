"""Parameters of the query protocol: a flat form whose names spell a tree (`Entry.1.Attribute.2.Name=x`).

A tree is nested dicts by name; a leaf is text. A name that is both has its text under the empty name. Numbers in
names are names like others, so neither huge nor missing list positions cost anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from cumulet.wire.errors import MalformedQueryString

MAX_LEVELS = 64
SHORT_BYTES = 128
"""ARNs and their likes come again and again: texts up to this are unescaped once."""
NOT_UTF8 = "The parameters are not UTF-8"
TOO_DEEP = "The parameter name has too many parts"

Tree = dict[str, Any]


def parameters(*forms: bytes) -> dict[str, str]:
    """Return the parameters of form-encoded texts; the first of a name wins. MalformedQueryString unless UTF-8."""
    found: dict[str, str] = {}
    try:
        for form in forms:
            for pair in form.split(b"&"):
                name, _, value = pair.partition(b"=")
                if name:
                    found.setdefault(_decoded(name), _decoded(value))
    except UnicodeDecodeError:
        raise MalformedQueryString(NOT_UTF8) from None
    return found


def pairs(form: bytes) -> list[tuple[str, str]]:
    """Return all parameters of a query string in order, repeated names included."""
    try:
        split = (part.partition(b"=") for part in form.split(b"&") if part)
        return [(_decoded(name), _decoded(value)) for name, _, value in split]
    except UnicodeDecodeError:
        raise MalformedQueryString(NOT_UTF8) from None


def _decoded(text: bytes) -> str:
    if b"%" not in text and b"+" not in text:
        return text.decode()
    return _often_unescaped(text) if len(text) <= SHORT_BYTES else _unescaped(text)


def _unescaped(text: bytes) -> str:
    return unquote_to_bytes(text.replace(b"+", b" ")).decode()


_often_unescaped = lru_cache(maxsize=4096)(_unescaped)


def tree(flat: Mapping[str, str]) -> Tree:
    """Return the tree that the names of parameters spell."""
    root: Tree = {}
    for name, value in flat.items():
        if "." not in name:
            _put(root, name, value)
            continue
        *parents, last = name.split(".", MAX_LEVELS)
        if len(parents) == MAX_LEVELS:
            raise MalformedQueryString(TOO_DEEP)
        node = root
        for parent in parents:
            child = node.get(parent)
            if not isinstance(child, dict):
                child = node[parent] = {} if child is None else {"": child}
            node = child
        _put(node, last, value)
    return root


def _put(node: Tree, name: str, value: str) -> None:
    present = node.get(name)
    if isinstance(present, dict):
        present.setdefault("", value)
    else:
        node[name] = value


def numbered(node: Tree) -> list[Any]:
    """Return the children of a node with whole numbers for names, in the order of the numbers."""
    numbers = [(len(name), name) for name in node if name.isascii() and name.isdigit()]
    return [node[name] for _, name in sorted(numbers)]

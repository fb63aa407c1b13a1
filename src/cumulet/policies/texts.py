"""Texts of a policy: with wildcards, and with variables that stand for what is known of a request.

IAM: variables are `${key}` and `${key, 'default'}` in policies of the version 2012-10-17; `${*}`, `${?}` and `${$}` are
the characters themselves. Where a variable's key is not known the text matches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from cumulet.policies.asker import Facts
from cumulet.policies.globs import Glob, Piece, Wild, pieces

VARIABLE = re.compile(r"\$\{\s*([^},\s]+)\s*(?:,\s*'([^']*)'\s*)?\}")
CHARACTERS = frozenset("*?$")
ARN_PARTS = 6


class Variable(NamedTuple):
    """What a request fills in."""

    key: str
    """In lower case."""
    default: str | None


Token = Piece | Variable


class Text:
    """One text of a policy, compiled once."""

    def __init__(self, source: str, *, has_variables: bool) -> None:
        self._tokens = _tokens(source) if has_variables and "${" in source else pieces(source)
        self._is_fixed = not any(isinstance(token, Variable) for token in self._tokens)

    def equals(self, given: str, facts: Facts) -> bool:
        """Return whether a value is the text; its wildcards are mere characters."""
        return self.plain(facts) == given

    def plain(self, facts: Facts) -> str | None:
        """Return the text with its variables filled in, None where one is not known."""
        if self._is_fixed:
            return self._plain
        resolved = _resolved(self._tokens, facts)
        return None if resolved is None else _joined(resolved)

    def is_like(self, given: str, facts: Facts) -> bool:
        """Return whether a value matches the text with its wildcards."""
        if self._is_fixed:
            return self._glob.matches(given)
        resolved = _resolved(self._tokens, facts)
        return resolved is not None and Glob(resolved).matches(given)

    def is_like_arn(self, given: str, facts: Facts) -> bool:
        """Return whether an ARN matches the text; each of the six parts on its own."""
        globs = self._part_globs if self._is_fixed else _part_globs(self._tokens, facts)
        parts = given.split(":", ARN_PARTS - 1)
        return (
            globs is not None
            and len(globs) == len(parts)
            and all(glob.matches(part) for glob, part in zip(globs, parts, strict=True))
        )

    @cached_property
    def _plain(self) -> str:
        return _joined(_resolved(self._tokens, {}) or [])

    @cached_property
    def _glob(self) -> Glob:
        return Glob(_resolved(self._tokens, {}) or [])

    @cached_property
    def _part_globs(self) -> list[Glob] | None:
        return _part_globs(self._tokens, {})


def _tokens(source: str) -> list[Token]:
    tokens: list[Token] = []
    end = 0
    for found in VARIABLE.finditer(source):
        tokens += pieces(source[end : found.start()])
        key, default = found[1], found[2]
        tokens.append(key if key in CHARACTERS else Variable(key.lower(), default))
        end = found.end()
    return tokens + pieces(source[end:])


def _resolved(tokens: Sequence[Token], facts: Facts) -> list[Piece] | None:
    resolved: list[Piece] = []
    for token in tokens:
        if not isinstance(token, Variable):
            resolved.append(token)
            continue
        value = facts.get(token.key, token.default)
        if not isinstance(value, str):  # IAM: variables of several values can't be used
            return None
        resolved.append(value)
    return resolved


def _joined(resolved: Sequence[Piece]) -> str:
    return "".join(piece.value if isinstance(piece, Wild) else piece for piece in resolved)


def _part_globs(tokens: Sequence[Token], facts: Facts) -> list[Glob] | None:
    """Return the patterns of an ARN's parts; colons that a variable brings in divide nothing."""
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if not isinstance(token, str):
            parts[-1].append(token)
            continue
        first, *others = token.split(":", ARN_PARTS - len(parts))
        parts[-1].append(first)
        parts += [[other] for other in others]
    resolved = [_resolved(part, facts) for part in parts]
    return [Glob(part) for part in resolved if part is not None] if None not in resolved else None

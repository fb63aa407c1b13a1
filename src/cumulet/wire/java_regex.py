"""Java's regular expressions in RE2's syntax."""

from __future__ import annotations

import re

import msgspec

MAX_REPEAT = 1000
ANYTHING = r"(?:[\s\S]*)"
END_OF_VALUE = r"(?![\s\S])"

# Java's property names that RE2 has as POSIX classes or writes otherwise, as the inside of a character class.
PROPERTIES = {
    "Alnum": "[:alnum:]",
    "Alpha": "[:alpha:]",
    "ASCII": "[:ascii:]",
    "Blank": "[:blank:]",
    "Cntrl": "[:cntrl:]",
    "Digit": "[:digit:]",
    "Graph": "[:graph:]",
    "Lower": "[:lower:]",
    "Print": "[:print:]",
    "Punct": "[:punct:]",
    "Space": "[:space:]",
    "Upper": "[:upper:]",
    "XDigit": "[:xdigit:]",
    "IsAlphabetic": r"\p{L}\p{Nl}",
    "IsDigit": r"\p{Nd}",
    "IsLetter": r"\p{L}",
    "IsWhitespace": r"\v\s\x{85}\p{Z}",
    "IsPunctuation": r"\p{P}",
    "LD": r"\p{L}\p{Nd}",
    "all": r"\s\S",
}
ESCAPES = {"s": r"[\v\s]", "S": r"[^\v\s]", "h": r"[\t \x{A0}]", "R": r"(?:\r\n|[\n-\r])", "Z": r"\n?\z", "e": r"\x1b"}
KNOWN_ESCAPES = frozenset("dDwWsSbBAzntrfvaQE")
# How models write "any character beyond the first plane" for Java's UTF-16, in two spellings, one of them wrong.
SURROGATES = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\uD800\uDBFF-\uDC00\uDFFF")
ASTRAL = r"\x{10000}-\x{10FFFF}"

_LOOK_AROUNDS = {"(?=": (True, False), "(?!": (True, True), "(?<=": (False, False), "(?<!": (False, True)}
_REPEAT = re.compile(r"\{(\d+),?(\d*)\}")
_CLASS_ESCAPE_BEFORE_RANGE = re.compile(r"(\\[dDwWsS]|\\[pP]\{[^}]*\}|:\])-(?!\])")


class Condition(msgspec.Struct, frozen=True):
    """A look-around at an end of the pattern: what the value must (or must not) begin or end with."""

    body: str
    is_ahead: bool
    is_negative: bool


def split_conditions(pattern: str) -> tuple[str, list[Condition]]:
    """Return the pattern without the look-arounds at its two ends, and these as conditions."""
    body, conditions = pattern, []
    while (opened := _look_around(body.lstrip("^"))) is not None:
        stripped = body.lstrip("^")
        end = _group_end(stripped, 0)
        if not opened.is_ahead or end == len(stripped) or _has_alternatives(stripped):
            break
        conditions.append(Condition(stripped[len("(?=") : end - 1], True, opened.is_negative))
        body = stripped[end:]
    while (start := _last_group(body.rstrip("$"))) is not None:
        stripped = body.rstrip("$")
        closing = _look_around(stripped[start:])
        if closing is None or closing.is_ahead or _has_alternatives(stripped):
            break
        conditions.append(Condition(stripped[start + len("(?<=") : -1], False, closing.is_negative))
        body = stripped[:start]
    if not conditions and (inner := _unwrapped(pattern)) is not None:
        return split_conditions(inner)
    return body, conditions


def _look_around(text: str) -> Condition | None:
    for opening, (is_ahead, is_negative) in _LOOK_AROUNDS.items():
        if text.startswith(opening):
            return Condition("", is_ahead, is_negative)
    return None


def _unwrapped(pattern: str) -> str | None:
    body = pattern.lstrip("^").rstrip("$")
    if body.startswith("(") and not body.startswith("(?") and _group_end(body, 0) == len(body):
        return body[1:-1]
    return None


def _tokens(text: str) -> list[tuple[int, str]]:
    """Return the characters outside classes and escapes with their positions."""
    found, position, depth = [], 0, 0
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 2
            continue
        if character == "[":
            depth += 1
            # A `]` that comes first in a class is a character.
            if text[position + 1 : position + 3] == "^]" or text[position + 1 : position + 2] == "]":
                position = text.index("]", position)
        elif character == "]" and depth:
            depth -= 1
        elif not depth:
            found.append((position, character))
        position += 1
    return found


def _group_end(text: str, start: int) -> int:
    """Return the position behind the group that opens at `start`; the text's length when it never closes."""
    level = 0
    for position, character in _tokens(text[start:]):
        level += (character == "(") - (character == ")")
        if level == 0:
            return start + position + 1
    return len(text)


def _last_group(text: str) -> int | None:
    """Return where the group starts that ends the text."""
    opened: list[int] = []
    last = None
    for position, character in _tokens(text):
        if character == "(":
            opened.append(position)
        elif character == ")" and opened:
            start = opened.pop()
            last = start if position == len(text) - 1 else None
    return last


def _has_alternatives(text: str) -> bool:
    level = 0
    for _, character in _tokens(text):
        level += (character == "(") - (character == ")")
        if character == "|" and level == 0:
            return True
    return False


def translated(pattern: str) -> tuple[str, bool]:
    """Return the pattern in RE2's syntax and whether it says the same."""
    for spelling in SURROGATES:
        pattern = pattern.replace(spelling, ASTRAL)
    pattern = pattern.replace(END_OF_VALUE, r"\z")
    out: list[str] = []
    is_exact, position, depth = True, 0, 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            text, length, exact = _escape(pattern[position:], in_class=depth > 0)
            out.append(text)
            position += length
            is_exact = is_exact and exact
        elif depth == 0 and _look_around(pattern[position:]) is not None:
            position = _group_end(pattern, position)
            is_exact = False
        elif depth == 0 and character == "{" and (repeat := _REPEAT.match(pattern, position)):
            text, exact = _repetition(repeat)
            out.append(text)
            position = _after_possessive(pattern, repeat.end())
            is_exact = is_exact and exact
        else:
            if depth and pattern.startswith("&&[", position) and (end := pattern.find("]", position)) > 0:
                position = end + 1
                is_exact = False
                continue
            if depth and character == "[" and not pattern.startswith("[:", position):
                character = r"\["
            elif character == "[" and depth == 0:
                depth = 1
            elif character == "]" and depth:
                depth = 0
            out.append("(?:" if pattern.startswith("(?>", position) else character)
            position += 3 if pattern.startswith("(?>", position) else 1
            if depth == 0 and character in "*+?":
                position = _after_possessive(pattern, position)
    return _CLASS_ESCAPE_BEFORE_RANGE.sub(r"\1\\-", "".join(out)), is_exact


def _after_possessive(pattern: str, position: int) -> int:
    return position + 1 if pattern.startswith("+", position) else position


def _repetition(repeat: re.Match[str]) -> tuple[str, bool]:
    least, most = repeat.groups()
    if max(int(least), int(most or 0)) <= MAX_REPEAT:
        return repeat.group(), True
    return f"{{{min(int(least), MAX_REPEAT)},}}", False


def _escape(text: str, *, in_class: bool) -> tuple[str, int, bool]:
    """Return an escape at the start of `text` translated, its length, and whether that is exact."""
    kind = text[1:2]
    if kind == "u" and re.match(r"[0-9A-Fa-f]{4}", text[2:]):
        code = int(text[2:6], 16)
        # A lone surrogate is no character; the nearest one keeps a range valid.
        code = 0xD7FF if 0xD800 <= code < 0xDC00 else 0xE000 if 0xDC00 <= code < 0xE000 else code
        return f"\\x{{{code:X}}}", 6, True
    if kind in ("p", "P") and (named := re.match(r"\{\^?(\w+)\}", text[2:])):
        inside = PROPERTIES.get(named[1], f"\\p{{{named[1].removeprefix('Is')}}}")
        length = 2 + named.end()
        if kind == "p":
            return (inside if in_class else f"[{inside}]"), length, True
        if not in_class:
            return f"[^{inside}]", length, True
        return inside.replace("[:", "[:^").replace(r"\p", r"\P"), length, inside.count("p{") <= 1
    if kind in ESCAPES and not in_class:
        return ESCAPES[kind], 2, True
    if kind == "s":
        return r"\v\s", 2, True  # for Java, not for RE2, the vertical tab is white space
    if kind.isdigit() and kind != "0" and not in_class:
        return ANYTHING, 2, False
    if kind.isascii() and kind.isalpha() and kind not in KNOWN_ESCAPES and kind not in "xpP":
        return kind, 2, True
    return text[:2], 2, True


def relaxed(source: str) -> str:
    """Return a translated pattern whose counted repetitions have no bounds."""
    return _REPEAT.sub(lambda repeat: "+" if int(repeat[1]) else "*", source)

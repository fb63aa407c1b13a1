"""The wildcard `*` in patterns: any characters, also none. `\\*` and `\\\\` stand for the characters themselves."""

from __future__ import annotations

MOST_STATES = 10
"""EventBridge refuses rules that are "too complex". Its measure is how many beginnings of a wildcard may match one
value at the same time; its limit is not published. This one lies between the examples that its guide calls good and
bad."""
_MOST_SETS = 2000
"""So many combinations of states are looked at; a wildcard with more is too complex, too."""
STAR = None
"""In a parsed wildcard, for `*`."""


class WildcardError(ValueError):
    """A wildcard that is refused; the message is EventBridge's."""


def parse(text: str) -> tuple[str, ...]:
    """Return the parts between the stars, the first and the last of which may be empty; raises WildcardError.

    Positions in messages count bytes, and the quote before the text is one.
    """
    parts = [""]
    at, previous_star = 0, -1
    while at < len(text):
        character = text[at]
        if character == "*":
            if previous_star == at - 1 and at > 0:
                raise WildcardError(f"Consecutive wildcard characters at pos {_position(text, at - 1)}")
            previous_star = at
            parts.append("")
        elif character == "\\":
            if text[at + 1 : at + 2] not in ("*", "\\"):
                raise WildcardError(f"Invalid escape character at pos {_position(text, at)}")
            at += 1
            parts[-1] += text[at]
        else:
            parts[-1] += character
        at += 1
    return tuple(parts)


def _position(text: str, at: int) -> int:
    return len(text[:at].encode("utf-8", "surrogatepass")) + 1


def matches(parts: tuple[str, ...], value: str) -> bool:
    """Return whether a value is the parts with anything between them."""
    if len(parts) == 1:
        return value == parts[0]
    first, *inner, last = parts
    if len(value) < len(first) + len(last) or not (value.startswith(first) and value.endswith(last)):
        return False
    at, end = len(first), len(value) - len(last)
    for part in inner:
        at = value.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def is_too_complex(parts: tuple[str, ...]) -> bool:
    """Return whether some value could be at more than `MOST_STATES` places of a wildcard at once."""
    steps: list[str | None] = []
    for number, part in enumerate(parts):
        if number:
            steps.append(STAR)
        steps.extend(part)
    if sum(step is STAR for step in steps) <= 1 and len(steps) <= MOST_STATES:
        return False
    alphabet = {*(step for step in steps if step is not STAR), ""}
    start = frozenset({(0, False)})
    seen, waiting = {start}, [start]
    while waiting:
        states = waiting.pop()
        for character in alphabet:
            following = _following(steps, states, character)
            if len(following) > MOST_STATES:
                return True
            if following and following not in seen:
                seen.add(following)
                waiting.append(following)
        if len(seen) > _MOST_SETS:
            return True
    return False


def _following(
    steps: list[str | None], states: frozenset[tuple[int, bool]], character: str
) -> frozenset[tuple[int, bool]]:
    """Return where one more character leads; a state is how many steps are done and whether a star took the last."""
    found: set[tuple[int, bool]] = set()
    for done, _ in states:
        if done < len(steps) and steps[done] is STAR:
            found.add((done, True))
            done += 1
        if done < len(steps) and steps[done] == character:
            found.add((done + 1, False))
    return frozenset(found)

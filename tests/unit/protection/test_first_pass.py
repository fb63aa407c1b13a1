"""The pass over the whole payload rules nothing out that a look at every value with every pattern finds."""

import json
from random import Random

import pytest

from cumulet.protection import Finding, Inspector, custom_identifier, mask, redact
from cumulet.protection.catalogue import IDENTIFIERS
from cumulet.protection.contents import Contents
from cumulet.protection.documents import taken_apart
from cumulet.protection.keywords import Words
from cumulet.protection.search import search_for
from cumulet.protection.surroundings import Surroundings

CUSTOM = [custom_identifier(f"Custom{n}", regex) for n, regex in enumerate(("^[a-z]+$", r"\bx.*y", r"\w+\."))]
ALL = [*IDENTIFIERS.values(), *CUSTOM]
TEXTS = [text for each in IDENTIFIERS.values() for text in [*(text for text, _ in each.matches), *each.misses]]
NAMES = ["a", "b\n", *(keyword for each in IDENTIFIERS.values() for keyword in each.keywords[:2])]
EDGES = ["", "é\n", "\\", "\\n", "x", "\t😀", ".", " "]


def some_value(random: Random, depth: int = 0) -> object:
    kind = random.random()
    if depth > 3 or kind < 0.4:
        return random.choice(EDGES) + random.choice([*TEXTS, "abc", "x y.", "123456789"]) + random.choice(EDGES)
    if kind < 0.5:
        return random.randrange(10 ** random.randrange(1, 18))
    if kind < 0.65:
        return json.dumps(some_value(random, depth + 1), ensure_ascii=random.random() < 0.5)
    if kind < 0.8:
        return [some_value(random, depth + 1) for _ in range(random.randrange(4))]
    return {random.choice(NAMES): some_value(random, depth + 1) for _ in range(random.randrange(4))}


def found_without_first_pass(text: str) -> list[Finding]:
    payload = taken_apart(text)
    contents, surroundings = Contents(payload.values), Surroundings(Words(payload.around))
    searches = map(search_for, ALL)
    return [finding for each in searches for finding in each.findings(each.patterns, contents, surroundings)]


@pytest.mark.parametrize("seed", range(4))
def test_the_first_pass_loses_nothing_and_json_stays_json(seed):
    random = Random(seed)
    inspector = Inspector(ALL)
    for _ in range(30):
        text = json.dumps([some_value(random)], ensure_ascii=random.random() < 0.5)

        findings = inspector.find(text)

        assert findings == sorted(
            found_without_first_pass(text), key=lambda each: (each.start, each.end, each.identifier)
        )
        json.loads(mask(text, findings, "#"))
        json.loads(redact(text, findings))

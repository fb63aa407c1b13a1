"""Writes docs/sensitive-data.md: what each data identifier finds and doesn't. `make coverage` runs it, a test compares.

Everything but the first part is read from the identifiers in `cumulet.protection`; their examples are tests.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from cumulet.protection import Identifier
from cumulet.protection.catalogue import IDENTIFIERS

PAGE = Path(__file__).with_name("sensitive-data.md")
SHOWN_KEYWORDS = 4
HEAD = """# Sensitive data

This page is made by `make coverage` from the code; don't edit it.

Data protection policies name what they look for: managed data identifiers, by the ARNs that AWS gives them
(`arn:aws:dataprotection::aws:data-identifier/CreditCardNumber`), and custom ones that a policy brings along. This is
what each of the {count} managed identifiers finds. Every example in the tables is a test. What policies do with it is
in [Topics](topics.md#sensitive-data), and how to try one without a server.

## How it is found

- A payload of JSON is read by value: strings, with their escapes undone, and numbers. A string that is JSON itself is
  read the same way. Names are never data. Any other payload is one text.
- Most identifiers need a keyword: within 30 characters of the data, before or after, as AWS documents. In JSON a name
  counts for the values beneath it, however far, and not for values beside it. Case doesn't matter, a space in a keyword
  may be missing or be an underscore or a hyphen, and `customerSsn` has the word `ssn` in it.
- *Checked* data has a check digit, a checksum or a rule of its own that has to be right.
- AWS finds names and addresses by machine learning. Here they are rules: titles, keywords, common given names, the
  forms of addresses. They miss some, and take some for what they aren't.
- Card numbers that issuers reserve for tests aren't reported, as on AWS: try `4539894458086459`.
- AWS publishes names, keywords and some rules, but not its patterns. What is at the edges of an identifier may differ.

What is found is masked character by character, or cut out. JSON stays JSON: a masked number becomes a string, and all
else keeps its bytes.

## Custom identifiers

A policy's own identifiers have a name (1 to 128 letters, digits, `_` and `-`) and a regular expression of 1 to 200
characters: letters, digits, `_#=@/;,- ` and `^$?[]{{}}|\\*+.`, so no groups. They run on RE2 and need no keyword: each
takes time linear in the message, and one that is too complex (2,000 instructions of RE2) is refused. A message that
takes a topic's own expressions more than two seconds of a processor is denied; nothing else stands still meanwhile.
"""
TABLE = """
## {category}

| identifier | what it is | keyword needed | checked | found | not found |
|---|---|---|---|---|---|
"""
TITLES = {
    "Credentials": "Credentials",
    "Device": "Devices",
    "Financial": "Financial information",
    "Health": "Health information",
    "Personal": "Personal information",
}


def page() -> str:
    """Return the page's text."""
    identifiers = sorted(IDENTIFIERS.values(), key=lambda each: (each.category, each.name))
    text = HEAD.format(count=len(identifiers))
    for category, group in groupby(identifiers, key=lambda each: each.category):
        text += TABLE.format(category=TITLES[category]) + "".join(map(_row, group))
    return text


def _row(identifier: Identifier) -> str:
    found = "<br>".join(_code(text) for text, _ in identifier.matches[:2])
    missed = "<br>".join(map(_code, identifier.misses[:2]))
    checked = "yes" if identifier.check else ""
    return f"| `{identifier.name}` | {identifier.title} | {_keywords(identifier)} | {checked} | {found} | {missed} |\n"


def _keywords(identifier: Identifier) -> str:
    if not identifier.keywords:
        return "no"
    shown = ", ".join(map(_code, identifier.keywords[:SHOWN_KEYWORDS]))
    more = len(identifier.keywords) - SHOWN_KEYWORDS
    forms = "for some forms: " if identifier.unaided else ""
    return f"{forms}{shown}, {more} more" if more > 0 else forms + shown


def _code(text: str) -> str:
    return f"`{text.replace('|', '¦').replace(chr(10), '⏎')}`"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"{PAGE.relative_to(Path.cwd()) if PAGE.is_relative_to(Path.cwd()) else PAGE} is up to date")

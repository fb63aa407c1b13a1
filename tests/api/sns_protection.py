"""Data protection policies as tests write them."""

from __future__ import annotations

import json
from typing import Any

MANAGED = "arn:aws:dataprotection::aws:data-identifier/"
CARD = "4539894458086459"
"""A number that a credit card could have."""
SECRET = f"card {CARD}"
"""AWS: such a number counts near a word for it only."""
DENY: dict[str, Any] = {"Deny": {}}
REDACT: dict[str, Any] = {"Deidentify": {"RedactConfig": {}}}
MASK: dict[str, Any] = {"Deidentify": {"MaskConfig": {"MaskWithCharacter": "#"}}}


def statement(operation: dict[str, Any], direction: str = "Inbound", **members: Any) -> dict[str, Any]:
    """Return a statement about credit cards and anyone; members that are None are left out."""
    given = {
        "DataDirection": direction,
        "Principal": ["*"],
        "DataIdentifier": [f"{MANAGED}CreditCardNumber"],
        "Operation": operation,
        **members,
    }
    return {name: value for name, value in given.items() if value is not None}


def document(*statements: Any, **members: Any) -> dict[str, Any]:
    """Return a policy; members that are None are left out."""
    given = {"Name": "protection", "Version": "2021-06-01", "Statement": list(statements), **members}
    return {name: value for name, value in given.items() if value is not None}


def policy(*statements: Any, **members: Any) -> str:
    """Return the text of a policy."""
    return json.dumps(document(*statements, **members))


def audit(rate: Any = 99, **destinations: Any) -> dict[str, Any]:
    """Return the operation Audit."""
    return {"Audit": {"SampleRate": rate, **destinations}}


def log_group(name: str) -> dict[str, Any]:
    """Return a destination of findings."""
    return {"CloudWatchLogs": {"LogGroup": name}}

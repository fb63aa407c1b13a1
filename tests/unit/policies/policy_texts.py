"""Policies of a queue, as JSON."""

from __future__ import annotations

from typing import Any

import orjson

QUEUE = "arn:aws:sqs:us-east-1:111111111111:orders"
SEND = "sqs:SendMessage"


def document(*statements: dict[str, Any], version: str | None = "2012-10-17") -> str:
    whole = {"Statement": list(statements)} | ({"Version": version} if version else {})
    return orjson.dumps(whole).decode()


def statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    given = {"Effect": effect, "Principal": "*", "Action": SEND, "Resource": QUEUE, **elements}
    return {name: value for name, value in given.items() if value is not None}

"""What tests see of an account's outbox."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError

from cumulet.testing import Cumulet


def account_of(cumulet: Cumulet) -> str:
    account: str = cumulet.client("sts").get_caller_identity()["Account"]
    return account


def outbox(cumulet: Cumulet, **question: Any) -> list[dict[str, Any]]:
    """Return the account's items, oldest first."""
    query = urlencode({"account": account_of(cumulet), **question})
    with urlopen(f"{cumulet.url}/_cumulet/outbox?{query}") as answer:
        messages: list[dict[str, Any]] = json.load(answer)["messages"]
        return messages


def opt_out(cumulet: Cumulet, phone_number: str) -> None:
    wish = {"account": account_of(cumulet), "phone_number": phone_number}
    with urlopen(Request(f"{cumulet.url}/_cumulet/outbox/opt-out", json.dumps(wish).encode(), method="POST")):
        pass


def refusal(operation: Any, **members: Any) -> tuple[str, int, str]:
    """Return code, status and text of an operation's refusal."""
    with pytest.raises(ClientError) as refused:
        operation(**members)
    response = refused.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]

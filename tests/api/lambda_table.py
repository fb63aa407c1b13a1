"""What tables of refusals are made of: members with places for the account, and errors as clients see them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError


def filled(value: Any, account: str) -> Any:
    """Return members or a message with the account put in for `{account}`; members that are None are left out."""
    if isinstance(value, dict):
        return {key: filled(item, account) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [filled(item, account) for item in value]
    return value.replace("{account}", account) if isinstance(value, str) else value


def refusal(client: Any, operation: str, members: dict[str, Any]) -> tuple[int, str, str]:
    """Return status, code and message of the error that an operation answers."""
    with pytest.raises(ClientError) as refused:
        getattr(client, xform_name(operation))(**members)
    response = refused.value.response
    error = response["Error"]
    return response["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error["Message"]

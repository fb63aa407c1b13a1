"""A server that checks signatures, with what another account has made before, and clients of the root key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from cumulet.testing import Cumulet

OWN, OTHER = "000000000000", "111122223333"
ROOT = f"arn:aws:iam::{OWN}:root"


def root_client(server: Cumulet, service: str, **credentials: str) -> Any:
    """Return a client with the root key, or with other credentials."""
    if not credentials:
        lines = (server.folder / "root-credentials").read_text().splitlines()
        credentials = dict(line.split(" = ") for line in lines if " = " in line)
    return boto3.Session().client(
        service,
        endpoint_url=server.url,
        region_name="us-east-1",
        config=Config(retries={"max_attempts": 0}),
        **credentials,
    )


def refused(ask: Callable[..., Any], **members: Any) -> tuple[str, int, str]:
    """Return code, status and message of a refusal."""
    with pytest.raises(ClientError) as caught:
        ask(**members)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]

"""Functions for tests that run none."""

from __future__ import annotations

from cumulet.services.lambda_.configuration import Configuration, Logging
from cumulet.services.lambda_.functions import Function, Package


def function(
    name: str, reserved: int | None = None, account: str = "123456789012", version: str = "$LATEST"
) -> Function:
    return Function(
        account=account,
        region="us-east-1",
        name=name,
        version=version,
        revision="1",
        deployment="1",
        configuration=Configuration(
            runtime="python3.11", handler="app.handler", role_arn="arn", logging=Logging(group="g")
        ),
        package=Package("0", 1),
        tags={},
        reserved_concurrency=reserved,
        modified_ms=0,
    )

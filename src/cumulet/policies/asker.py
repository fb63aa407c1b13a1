"""Who wants to do something, and what is known of the request: the context that conditions look at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType

import msgspec

from cumulet.kernel.arns import Arn, parse_arn
from cumulet.kernel.call import Call, Identity

Facts = Mapping[str, str | tuple[str, ...]]
"""Condition keys in lower case, such as `aws:sourcearn`."""

NO_FACTS: Facts = MappingProxyType({})


class Asker(msgspec.Struct, frozen=True):
    """A principal with its request. One without anything is anonymous."""

    service: str | None = None
    """An AWS service, such as `sns.amazonaws.com`; None for a principal of an account."""
    account: str | None = None
    arn: str | None = None
    """The ARN of the principal."""
    facts: Facts = NO_FACTS


def of_call(call: Call, now_ms: int, facts: Facts = NO_FACTS) -> Asker:
    """Return who makes a call, with the keys that every request has and those that are given."""
    known = request_facts(call.region, scheme=call.scheme, client=call.client, now_ms=now_ms)
    return of_identity(call.identity, {**known, **facts})


def of_identity(identity: Identity, facts: Facts) -> Asker:
    """Return a principal of an account, with the keys that tell of it and those that are given."""
    known = {
        "aws:principalaccount": identity.account,
        "aws:principalisawsservice": "false",
        "aws:userid": identity.user_id,
        **_principal_facts(identity.principal),
    }
    return Asker(account=identity.account, arn=identity.principal, facts={**known, **facts})


def request_facts(region: str, *, scheme: str, client: str, now_ms: int) -> Facts:
    """Return the keys that every request has; `client` is an IP address."""
    return {
        **_time_facts(now_ms // 1000),
        "aws:requestedregion": region,
        "aws:securetransport": str(scheme == "https").lower(),
        "aws:sourceip": client,
        "aws:viaawsservice": "false",
    }


def of_service(source: Arn, now_ms: int) -> Asker:
    """Return the service that acts for a resource of its own, such as SNS for a topic."""
    name = f"{source.service}.amazonaws.com"
    return Asker(
        service=name,
        facts={
            **_time_facts(now_ms // 1000),
            "aws:principalisawsservice": "true",
            "aws:principalservicename": name,
            "aws:principalservicenameslist": (name,),
            "aws:sourceaccount": source.account,
            "aws:sourcearn": str(source),
            "aws:sourceowner": source.account,
        },
    )


def of_role(role: Arn, now_ms: int) -> Asker:
    """Return a role in which the platform acts, such as that of a function."""
    facts = {
        **_time_facts(now_ms // 1000),
        "aws:principalaccount": role.account,
        "aws:principalarn": str(role),
        "aws:principalisawsservice": "false",
        "aws:principaltype": "AssumedRole",
    }
    return Asker(account=role.account, arn=str(role), facts=facts)


@lru_cache(maxsize=4)
def _time_facts(now_seconds: int) -> Mapping[str, str]:
    now = datetime.fromtimestamp(now_seconds, UTC)
    return {"aws:currenttime": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "aws:epochtime": str(now_seconds)}


def _principal_facts(principal: str) -> dict[str, str]:
    """IAM: a session's aws:PrincipalArn is its role's. Its path is not in the session's ARN, and so is left out."""
    arn = parse_arn(principal)
    if arn is None:
        return {}
    kind, _, name = arn.resource.partition("/")
    if kind == "assumed-role":
        role = arn._replace(service="iam", resource=f"role/{name.partition('/')[0]}")
        return {"aws:principalarn": str(role), "aws:principaltype": "AssumedRole"}
    if kind == "user":
        facts = {"aws:username": name.rpartition("/")[2], "aws:principaltype": "User"}
        return facts | {"aws:principalarn": principal}
    return {"aws:principalarn": principal, "aws:principaltype": "Account"}

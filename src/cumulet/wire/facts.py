"""What routing must know of a service before any request names it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.wire.model import metadata

QUERY = "query"


class Facts(msgspec.Struct, frozen=True):
    """The names that requests give a service, and the protocols that it speaks, the model's first choice first."""

    signing_name: str
    api_version: str
    target_prefix: str
    """Before the operation in X-Amz-Target; empty where nothing is."""
    protocols: tuple[str, ...]
    is_query_compatible: bool
    """Did it speak the query protocol once, whose old clients it still serves?"""

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Facts:
        """Return those that a model's metadata tells."""
        is_query_compatible = "awsQueryCompatible" in found
        own = found.get("protocols") or [found["protocol"]]
        return cls(
            signing_name=found.get("signingName") or found["endpointPrefix"],
            api_version=found["apiVersion"],
            target_prefix=found.get("targetPrefix", ""),
            protocols=tuple(dict.fromkeys([*own, QUERY] if is_query_compatible else own)),
            is_query_compatible=is_query_compatible,
        )


def facts(service: str) -> Facts:
    """Return those of a service, by botocore's folder name. Its model is not loaded."""
    return Facts.of(metadata(service))

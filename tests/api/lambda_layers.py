"""Layers as tests speak of them."""

from __future__ import annotations

from typing import Any

from lambda_functions import zip_of

from cumulet.testing import Cumulet

TOOLS = zip_of({"python/tools.py": "NAME = 'tools'\n"})


def publish(cumulet: Cumulet, name: str = "tools", content: bytes = TOOLS, **members: Any) -> dict[str, Any]:
    """Publish a version of a layer; return PublishLayerVersion's answer."""
    answer = cumulet.client("lambda").publish_layer_version(LayerName=name, Content={"ZipFile": content}, **members)
    return without_metadata(answer)


def arn_of(cumulet: Cumulet, name: str = "tools", number: int = 1) -> str:
    """Return the ARN of a version."""
    return f"arn:aws:lambda:us-east-1:{cumulet.account}:layer:{name}:{number}"


def without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what an operation answered, and no more."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

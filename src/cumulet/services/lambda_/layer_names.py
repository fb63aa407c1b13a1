"""How requests name layers and their versions: a layer by name or ARN, a version by number or within an ARN."""

from __future__ import annotations

import re
from typing import NamedTuple

from cumulet.kernel.arns import partition_of

LAYER = re.compile(r"(?:arn:[^:]+:lambda:(?P<region>[^:]+):(?P<account>[0-9]{12}):layer:)?(?P<name>[a-zA-Z0-9_-]+)")
MOST_NUMBER = 10**15
"""No layer ever has so many versions."""


class LayerKey(NamedTuple):
    """Which layer."""

    account: str
    region: str
    name: str


class LayerLocator(NamedTuple):
    """What a layer's name in a request says; None where it says nothing."""

    region: str | None
    account: str | None
    name: str


def parse_layer(text: str) -> LayerLocator:
    """Return the parts of a name or ARN, whose pattern is checked already; ValueError for another text."""
    found = LAYER.fullmatch(text)
    if found is None:
        raise ValueError(f"{text} names no layer")
    return LayerLocator(found["region"], found["account"], found["name"])


def parse_version(arn: str) -> tuple[LayerKey, int] | None:
    """Return which version an ARN means; None for those of AWS's own layers, which have no account."""
    layer, _, number = arn.rpartition(":")
    found = LAYER.fullmatch(layer)
    if found is None or found["account"] is None:
        return None
    digits = number.lstrip("0")
    value = int(digits) if 0 < len(digits) <= len(str(MOST_NUMBER)) else 0
    return LayerKey(found["account"], found["region"], found["name"]), value


def layer_arn(key: LayerKey) -> str:
    """Return the ARN of a layer."""
    return f"arn:{partition_of(key.region)}:lambda:{key.region}:{key.account}:layer:{key.name}"


def version_arn(key: LayerKey, number: int) -> str:
    """Return the ARN of a version of a layer."""
    return f"{layer_arn(key)}:{number}"

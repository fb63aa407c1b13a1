"""Which versions of layers a function may use, and how large they may be with its code."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cumulet import policies
from cumulet.kernel.call import Call
from cumulet.kernel.errors import AwsError
from cumulet.policies import Decision
from cumulet.services.lambda_ import layer_policies, layer_versions
from cumulet.services.lambda_.configuration import Layer
from cumulet.services.lambda_.errors import AccessDeniedException, invalid
from cumulet.services.lambda_.layer_names import LayerKey, layer_arn, parse_version, version_arn
from cumulet.services.lambda_.layer_policies import GET_LAYER_VERSION
from cumulet.services.lambda_.layer_versions import LayerVersion
from cumulet.store import Tx

MOST_LAYERS = 5


class Asker(msgspec.Struct, frozen=True):
    """Who wants to use layers, and in which region."""

    account: str
    region: str
    principal: str
    is_enforcing: bool
    """Must other accounts permit that their layers are used?"""


def asker(call: Call, *, is_enforcing: bool) -> Asker:
    """Return who a request comes from."""
    return Asker(call.account, call.region, call.identity.principal, is_enforcing)


def resolve(tx: Tx, asker: Asker, arns: Sequence[str]) -> tuple[Layer, ...]:
    """Return the layers that ARNs mean, in their order.

    Raises InvalidParameterValueException for more than five, for one of another region or that does not exist, and for
    two versions of one layer; AccessDeniedException for what another account doesn't permit, if it exists or not.
    """
    if len(arns) > MOST_LAYERS:
        raise invalid(f"Cannot reference more than {MOST_LAYERS} layers.")
    found: dict[str, Layer] = {}
    for arn in arns:
        version = _usable(tx, asker, arn)
        if version.layer_arn in found:
            raise invalid(
                "Two different versions of the same layer are not allowed to be referenced in the same function. "
                f"{found[version.layer_arn].arn} and {version.arn} are versions of the same layer."
            )
        found[version.layer_arn] = Layer(version.arn, version.package.digest, version.package.size_bytes)
    return tuple(found.values())


def may_use(tx: Tx, asker: Asker, key: LayerKey, number: int) -> bool:
    """Return whether a version, if it exists, may be used by those of another account."""
    if key.account == asker.account or not asker.is_enforcing:
        return True
    return layer_policies.lets_use(tx, key, number, account=asker.account, principal=asker.principal)


def denied(principal: str, arn: str) -> AwsError:
    """Return the error for a version of another account's layer."""
    return AccessDeniedException(policies.refusal_text(principal, GET_LAYER_VERSION, arn, Decision.SILENT))


def _usable(tx: Tx, asker: Asker, arn: str) -> LayerVersion:
    named = parse_version(arn)
    if named is None:
        raise denied(asker.principal, arn)
    key, number = named
    version = layer_versions.find(tx, key, number)
    if key.account != asker.account and (version is None or not may_use(tx, asker, key, number)):
        raise denied(asker.principal, arn)
    if key.region != asker.region:
        raise invalid(
            f"Layers are not in the same region as the function. Layers are expected to be in region {asker.region}."
        )
    if version is None or not arn.startswith(layer_arn(key)):
        raise invalid(f"Layer version {version_arn(key, number)} does not exist.")
    return version

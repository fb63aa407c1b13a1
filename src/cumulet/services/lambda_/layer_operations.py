"""The operations on layers: publish, show, list and delete versions, and let other accounts use them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, cast

import orjson

from cumulet.kernel.call import Call
from cumulet.kernel.errors import AwsError
from cumulet.services.lambda_ import function_code, functions, layer_policies, layer_versions, layers, paging, policies
from cumulet.services.lambda_.base import LambdaBase, denied
from cumulet.services.lambda_.errors import invalid, not_found
from cumulet.services.lambda_.function_answers import written
from cumulet.services.lambda_.layer_names import (
    MOST_NUMBER,
    LayerKey,
    layer_arn,
    parse_layer,
    parse_version,
    version_arn,
)
from cumulet.services.lambda_.layer_policies import LayerPolicy
from cumulet.services.lambda_.layer_versions import Compatibility, LayerVersion
from cumulet.services.lambda_.policies import Statement
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t

GONE = "The resource you requested does not exist."


class LayerOperations(LambdaBase):
    """What is done to layers. A layer is there as long as one of its versions is."""

    async def publish_layer_version(self, call: Call, request: t.PublishLayerVersionRequestTypeDef) -> dict[str, Any]:
        """Make the next version of a layer."""
        members = cast("dict[str, Any]", request)
        key = self._own_layer(call, members["LayerName"])
        content = function_code.zip_file(call.operation, members["Content"])
        package = await self.packages.inspect(content)
        version = LayerVersion(
            key=key,
            number=0,
            description=members.get("Description", ""),
            license_info=members.get("LicenseInfo"),
            runtimes=members.get("CompatibleRuntimes"),
            architectures=members.get("CompatibleArchitectures"),
            package=package,
            created_ms=self.clock.now_ms(),
        )
        async with self.packages.kept(package, content):
            published = await self.store.transact(self._publish_layer, version)
        return self._shown(call, published)

    def _publish_layer(self, tx: Tx, version: LayerVersion) -> LayerVersion:
        published = layer_versions.publish(tx, version)
        functions.check_storage(tx, version.key.account, version.key.region, self.most_code_bytes)
        return published

    async def get_layer_version(self, call: Call, request: t.GetLayerVersionRequestTypeDef) -> dict[str, Any]:
        """Return a version of a layer, with a link to what is in it."""
        key = self._layer(call, request["LayerName"])
        return await self._found(call, key, checked_number(request["VersionNumber"]))

    async def get_layer_version_by_arn(
        self, call: Call, request: t.GetLayerVersionByArnRequestTypeDef
    ) -> dict[str, Any]:
        """Return a version of a layer, with a link to what is in it."""
        named = parse_version(request["Arn"])
        if named is None:
            raise layers.denied(call.identity.principal, request["Arn"])
        key, number = named
        self._layer(call, layer_arn(key))
        return await self._found(call, key, checked_number(number))

    async def _found(self, call: Call, key: LayerKey, number: int) -> dict[str, Any]:
        asker = layers.asker(call, is_enforcing=self.is_enforcing)

        def find(tx: Tx) -> LayerVersion | None:
            if not layers.may_use(tx, asker, key, number):
                raise layers.denied(asker.principal, version_arn(key, number))
            return layer_versions.find(tx, key, number)

        version = await self.store.read(find)
        if version is None:
            raise not_found(GONE)
        return self._shown(call, version)

    async def list_layers(self, call: Call, request: t.ListLayersRequestTypeDef) -> dict[str, Any]:
        """List the layers of the account in the region, by name, each with its newest version that fits."""
        page = paging.page(request.get("MaxItems"), request.get("Marker"))
        found = await self.store.read(
            layer_versions.newest_after, call.account, call.region, page.after, _fitting(request), page.size + 1
        )
        listed = [
            {
                "LayerName": version.key.name,
                "LayerArn": version.layer_arn,
                "LatestMatchingVersion": _listed(version),
            }
            for version in found[: page.size]
        ]
        return {"Layers": listed} | page.next_marker([version.key.name for version in found])

    async def list_layer_versions(self, call: Call, request: t.ListLayerVersionsRequestTypeDef) -> dict[str, Any]:
        """List the versions of a layer, the newest first; a layer that isn't there has none."""
        key = self._own_layer(call, request["LayerName"])
        page = paging.page(request.get("MaxItems"), request.get("Marker"))
        if page.after and not page.after.isdecimal():
            raise invalid("Invalid Marker")
        before = min(int(page.after or MOST_NUMBER), MOST_NUMBER)
        found = await self.store.read(layer_versions.before, key, before, _fitting(request), page.size + 1)
        return {"LayerVersions": [_listed(version) for version in found[: page.size]]} | page.next_marker(
            [str(version.number) for version in found]
        )

    async def delete_layer_version(self, call: Call, request: t.DeleteLayerVersionRequestTypeDef) -> None:
        """Delete a version of a layer, which is no error where it isn't there; functions that use it go on."""
        key = self._own_layer(call, request["LayerName"])
        await self.store.transact(self._delete_layer, key, checked_number(request["VersionNumber"]))
        self.package_upkeep.look_later()

    def _delete_layer(self, tx: Tx, key: LayerKey, number: int) -> None:
        layer_versions.delete(tx, key, number)
        layer_policies.delete(tx, key, number)

    async def add_layer_version_permission(
        self, call: Call, request: t.AddLayerVersionPermissionRequestTypeDef
    ) -> dict[str, Any]:
        """Let other accounts use a version of a layer."""
        key = self._own_layer(call, request["LayerName"])
        number = checked_number(request["VersionNumber"])
        made = layer_policies.statement(request, version_arn(key, number), key.region)
        new_revision = self.ids.uuid()
        await self.store.transact(self._permit, key, number, made, request.get("RevisionId"), new_revision)
        return {"Statement": orjson.dumps(made).decode(), "RevisionId": new_revision}

    def _permit(
        self, tx: Tx, key: LayerKey, number: int, made: Statement, revision: str | None, new_revision: str
    ) -> None:
        _check_exists(tx, key, number)
        layer_policies.add(tx, key, number, made, revision=revision, new_revision=new_revision)

    async def get_layer_version_policy(
        self, call: Call, request: t.GetLayerVersionPolicyRequestTypeDef
    ) -> dict[str, Any]:
        """Return which accounts may use a version of a layer."""
        key = self._own_layer(call, request["LayerName"])
        number = checked_number(request["VersionNumber"])

        def find(tx: Tx) -> LayerPolicy:
            _check_exists(tx, key, number)
            return layer_policies.find(tx, key, number)

        policy = await self.store.read(find)
        if not policy.statements:
            raise not_found("No policy is associated with the given resource.")
        return {"Policy": policies.text(policy.statements), "RevisionId": policy.revision}

    async def remove_layer_version_permission(
        self, call: Call, request: t.RemoveLayerVersionPermissionRequestTypeDef
    ) -> None:
        """Take back what was permitted."""
        key = self._own_layer(call, request["LayerName"])
        number = checked_number(request["VersionNumber"])
        sid, revision = request["StatementId"], request.get("RevisionId")
        await self.store.transact(self._forbid, key, number, sid, revision, self.ids.uuid())

    def _forbid(self, tx: Tx, key: LayerKey, number: int, sid: str, revision: str | None, new_revision: str) -> None:
        _check_exists(tx, key, number)
        layer_policies.remove(tx, key, number, sid, revision=revision, new_revision=new_revision)

    def _layer(self, call: Call, text: str) -> LayerKey:
        """Return which layer a request names."""
        locator = parse_layer(text)
        if locator.region is not None and locator.region != call.region:
            raise not_found(f"Layers from '{locator.region}' are not reachable in this region ('{call.region}')")
        return LayerKey(locator.account or call.account, call.region, locator.name)

    def _own_layer(self, call: Call, text: str) -> LayerKey:
        """Return which layer a request names that only its account may make; raises AccessDeniedException."""
        key = self._layer(call, text)
        if self.is_enforcing and key.account != call.account:
            raise denied(call, layer_arn(key))
        return key

    def _shown(self, call: Call, version: LayerVersion) -> dict[str, Any]:
        content = {
            "Location": self.downloads.url(call, version.package),
            "CodeSha256": base64.b64encode(bytes.fromhex(version.package.digest)).decode(),
            "CodeSize": version.package.size_bytes,
        }
        return _listed(version) | {"Content": content, "LayerArn": version.layer_arn}


def checked_number(number: int) -> int:
    """Return the number of a version; raises InvalidParameterValueException."""
    if number < 1:
        raise invalid("Layer Version Cannot be less than 1")
    return number


def _check_exists(tx: Tx, key: LayerKey, number: int) -> None:
    if layer_versions.find(tx, key, number) is None:
        raise _no_version(key, number)


def _no_version(key: LayerKey, number: int) -> AwsError:
    return not_found(f"Layer version {version_arn(key, number)} does not exist.")


def _fitting(request: t.ListLayersRequestTypeDef | t.ListLayerVersionsRequestTypeDef) -> Compatibility:
    return Compatibility(request.get("CompatibleRuntime"), request.get("CompatibleArchitecture"))


def _listed(version: LayerVersion) -> dict[str, Any]:
    """Return a version as lists have it."""
    answer: dict[str, Any] = {
        "LayerVersionArn": version.arn,
        "Version": version.number,
        "Description": version.description,
        "CreatedDate": written(version.created_ms),
    }
    optional = {
        "CompatibleRuntimes": version.runtimes,
        "CompatibleArchitectures": version.architectures,
        "LicenseInfo": version.license_info,
    }
    return answer | {name: value for name, value in optional.items() if value is not None}

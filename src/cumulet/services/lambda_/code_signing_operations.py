"""The operations on code signing configurations, and on which function has which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from cumulet.kernel.call import Call
from cumulet.services.lambda_ import code_signing, functions, paging, tags
from cumulet.services.lambda_.base import LambdaBase, denied
from cumulet.services.lambda_.code_signing import CodeSigningConfig
from cumulet.services.lambda_.function_answers import written
from cumulet.services.lambda_.function_names import FunctionKey
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


class CodeSigningOperations(LambdaBase):
    """Which code may be deployed."""

    async def create_code_signing_config(
        self, call: Call, request: t.CreateCodeSigningConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Make a configuration."""
        config = CodeSigningConfig(
            account=call.account,
            region=call.region,
            id="csc-" + "".join(self.ids.random.choices(LETTERS, k=code_signing.ID_LENGTH)),
            description=request.get("Description", ""),
            publishers=list(request["AllowedPublishers"]["SigningProfileVersionArns"]),
            policy=request.get("CodeSigningPolicies", {}).get("UntrustedArtifactOnDeployment", "Warn"),
            tags=tags.merged({}, request.get("Tags", {})),
            modified_ms=self.clock.now_ms(),
        )
        return {"CodeSigningConfig": _shown(await self.store.transact(code_signing.save, config))}

    async def get_code_signing_config(
        self, call: Call, request: t.GetCodeSigningConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Return a configuration."""
        arn = self._config(call, request["CodeSigningConfigArn"])
        return {"CodeSigningConfig": _shown(await self.store.read(code_signing.load, arn))}

    async def update_code_signing_config(
        self, call: Call, request: t.UpdateCodeSigningConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Change a configuration; what is not named stays."""
        arn = self._config(call, request["CodeSigningConfigArn"])
        members = cast("dict[str, Any]", request)
        now_ms = self.clock.now_ms()

        def change(tx: Tx) -> CodeSigningConfig:
            changes: dict[str, Any] = {"modified_ms": now_ms}
            if "Description" in members:
                changes["description"] = members["Description"]
            if "AllowedPublishers" in members:
                changes["publishers"] = members["AllowedPublishers"]["SigningProfileVersionArns"]
            if policy := members.get("CodeSigningPolicies", {}).get("UntrustedArtifactOnDeployment"):
                changes["policy"] = policy
            return code_signing.save(tx, msgspec.structs.replace(code_signing.load(tx, arn), **changes))

        return {"CodeSigningConfig": _shown(await self.store.transact(change))}

    async def delete_code_signing_config(
        self, call: Call, request: t.DeleteCodeSigningConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Delete a configuration that no function has."""
        await self.store.transact(code_signing.delete, self._config(call, request["CodeSigningConfigArn"]))
        return {}

    async def list_code_signing_configs(
        self, call: Call, request: t.ListCodeSigningConfigsRequestTypeDef
    ) -> dict[str, Any]:
        """List the configurations of the account in the region."""
        page = paging.page(request.get("MaxItems"), request.get("Marker"))
        found = await self.store.read(code_signing.after, call.account, call.region, page.after, page.size + 1)
        listed = [_shown(config) for config in found[: page.size]]
        return {"CodeSigningConfigs": listed} | page.next_marker([config.id for config in found])

    async def list_functions_by_code_signing_config(
        self, call: Call, request: t.ListFunctionsByCodeSigningConfigRequestTypeDef
    ) -> dict[str, Any]:
        """List the functions that have a configuration, by name."""
        arn = self._config(call, request["CodeSigningConfigArn"])
        page = paging.page(request.get("MaxItems"), request.get("Marker"))

        def find(tx: Tx) -> tuple[CodeSigningConfig, list[str]]:
            config = code_signing.load(tx, arn)
            return config, code_signing.functions_after(tx, config, page.after, page.size + 1)

        config, names = await self.store.read(find)
        return {"FunctionArns": code_signing.function_arns(config, names[: page.size])} | page.next_marker(names)

    async def put_function_code_signing_config(
        self, call: Call, request: t.PutFunctionCodeSigningConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Give a function a configuration, for code and layers that it gets from now on."""
        key = self.locate_function(call, request["FunctionName"])
        arn = request["CodeSigningConfigArn"]
        await self.store.transact(self._put_code_signing, key, arn)
        return {"CodeSigningConfigArn": arn, "FunctionName": key.name}

    def _put_code_signing(self, tx: Tx, key: FunctionKey, arn: str | None) -> None:
        config = code_signing.load_for_function(tx, key.account, key.region, arn) if arn else None
        before = functions.load(tx, key)
        after = msgspec.structs.replace(before, code_signing=config.id if config else None)
        tx.after_commit(self.changed, functions.save(tx, after))

    async def get_function_code_signing_config(
        self, call: Call, request: t.GetFunctionCodeSigningConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Return which configuration a function has; of one that has none AWS answers nothing at all."""
        function = await self.known(self.locate_function(call, request["FunctionName"]))
        if function.code_signing is None:
            return {}
        arn = code_signing.config_arn(function.account, function.region, function.code_signing)
        return {"CodeSigningConfigArn": arn, "FunctionName": function.name}

    async def delete_function_code_signing_config(
        self, call: Call, request: t.DeleteFunctionCodeSigningConfigRequestTypeDef
    ) -> None:
        """Take a function's configuration away, if it has one."""
        key = self.locate_function(call, request["FunctionName"])
        await self.store.transact(self._put_code_signing, key, None)

    def _config(self, call: Call, arn: str) -> str:
        """Return the ARN of a configuration; raises AccessDeniedException for another account's in enforce mode."""
        if self.is_enforcing and f":{call.account}:" not in arn:
            raise denied(call, arn)
        return arn


def _shown(config: CodeSigningConfig) -> dict[str, Any]:
    return {
        "CodeSigningConfigId": config.id,
        "CodeSigningConfigArn": config.arn,
        "Description": config.description,
        "AllowedPublishers": {"SigningProfileVersionArns": config.publishers},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": config.policy},
        "LastModified": written(config.modified_ms),
    }

"""The operations on a role's policies, inline and attached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulet.kernel.arns import partition_of
from cumulet.kernel.call import Call
from cumulet.services.iam import attachments, documents, inline_policies
from cumulet.services.iam.names import parse_policy_arn, policy_arn, policy_name
from cumulet.services.iam.paging import page
from cumulet.services.service import Service

if TYPE_CHECKING:
    from types_boto3_iam import type_defs as t

MOST_ATTACHED_POLICIES = 10
"""IAM: managed policies of a role, unless AWS was asked for more."""


class RolePolicyOperations(Service):
    """What roles may do."""

    async def put_role_policy(self, call: Call, request: t.PutRolePolicyRequestTypeDef) -> None:
        """Add or replace an inline policy."""
        document = request["PolicyDocument"]
        documents.check_permissions(document)
        name = request["PolicyName"]
        await self.store.transact(inline_policies.put, call.account, request["RoleName"], name, document)

    async def get_role_policy(self, call: Call, request: t.GetRolePolicyRequestTypeDef) -> dict[str, Any]:
        """Return an inline policy."""
        name = request["PolicyName"]
        role_name, document = await self.store.read(inline_policies.get, call.account, request["RoleName"], name)
        return {"RoleName": role_name, "PolicyName": name, "PolicyDocument": documents.shown(document)}

    async def list_role_policies(self, call: Call, request: t.ListRolePoliciesRequestTypeDef) -> dict[str, Any]:
        """List the names of inline policies."""
        listed = page("ListRolePolicies", request)
        found = await self.store.read(inline_policies.names, call.account, request["RoleName"], listed)
        shown, rest = listed.cut(found, lambda name: name)
        return {"PolicyNames": shown} | rest

    async def delete_role_policy(self, call: Call, request: t.DeleteRolePolicyRequestTypeDef) -> None:
        """Delete an inline policy."""
        await self.store.transact(inline_policies.delete, call.account, request["RoleName"], request["PolicyName"])

    async def attach_role_policy(self, call: Call, request: t.AttachRolePolicyRequestTypeDef) -> None:
        """Attach a managed policy."""
        arn = parse_policy_arn(request["PolicyArn"], partition_of(call.region))
        most = self.platform.quotas.limit("iam:policies-per-role", MOST_ATTACHED_POLICIES)
        await self.store.transact(attachments.attach, call.account, request["RoleName"], arn, most)

    async def detach_role_policy(self, call: Call, request: t.DetachRolePolicyRequestTypeDef) -> None:
        """Detach a managed policy."""
        arn = parse_policy_arn(request["PolicyArn"], partition_of(call.region))
        await self.store.transact(attachments.detach, call.account, request["RoleName"], arn)

    async def list_attached_role_policies(
        self, call: Call, request: t.ListAttachedRolePoliciesRequestTypeDef
    ) -> dict[str, Any]:
        """List attached managed policies."""
        listed = page("ListAttachedRolePolicies", request)
        prefix = request.get("PathPrefix", "/")
        found = await self.store.read(attachments.of_role, call.account, request["RoleName"], prefix)
        shown, rest = listed.slice(found)
        partition = partition_of(call.region)
        return {
            "AttachedPolicies": [
                {"PolicyName": policy_name(key), "PolicyArn": policy_arn(partition, key)} for key in shown
            ]
        } | rest

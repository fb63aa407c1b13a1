"""The operations on roles: create, change, list, tag, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulet.kernel.arns import partition_of
from cumulet.kernel.call import Call
from cumulet.services.iam import documents, roles, tags
from cumulet.services.iam.errors import LimitExceeded
from cumulet.services.iam.names import ROLE_ID, new_id, parse_policy_arn, policy_arn, role_arn
from cumulet.services.iam.paging import page
from cumulet.services.iam.roles import Role
from cumulet.services.service import Service

if TYPE_CHECKING:
    from types_boto3_iam import type_defs as t

MOST_ROLES = 1_000
MOST_TRUST_CHARACTERS = 2_048
"""IAM: the length of a role trust policy, white space not counted."""
DEFAULT_SESSION_SECONDS = 3_600


class RoleOperations(Service):
    """What is done to roles as a whole."""

    async def create_role(self, call: Call, request: t.CreateRoleRequestTypeDef) -> dict[str, Any]:
        """Make a role."""
        trust_policy = _checked(request["AssumeRolePolicyDocument"])
        boundary_arn = request.get("PermissionsBoundary")
        boundary = parse_policy_arn(boundary_arn, partition_of(call.region)) if boundary_arn else None
        role = Role(
            account=call.account,
            name=request["RoleName"],
            path=request.get("Path", "/"),
            role_id=new_id(ROLE_ID, self.ids),
            created_ms=self.clock.now_ms(),
            trust_policy=trust_policy,
            description=request.get("Description"),
            max_session_seconds=request.get("MaxSessionDuration", DEFAULT_SESSION_SECONDS),
            boundary=boundary.key if boundary else None,
            tags=tags.OF_ROLES.checked(request.get("Tags", ())),
        )
        most = self.platform.quotas.limit("iam:roles-per-account", MOST_ROLES)
        await self.store.transact(roles.create, role, boundary, most)
        return {"Role": _shown(call, role) | _boundary(call, role) | _tags(role)}

    async def get_role(self, call: Call, request: t.GetRoleRequestTypeDef) -> dict[str, Any]:
        """Return a role."""
        role = await self.store.read(roles.load, call.account, request["RoleName"])
        shown = _shown(call, role) | _description(role) | _boundary(call, role) | _tags(role)
        return {"Role": shown | {"MaxSessionDuration": role.max_session_seconds, "RoleLastUsed": {}}}

    async def list_roles(self, call: Call, request: t.ListRolesRequestTypeDef) -> dict[str, Any]:
        """List the account's roles by name; IAM: without boundaries, tags and last use."""
        listed = page("ListRoles", request)
        found = await self.store.read(roles.behind, call.account, request.get("PathPrefix", "/"), listed)
        shown, rest = listed.cut(found, lambda role: role.key[1])
        return {
            "Roles": [
                _shown(call, role) | _description(role) | {"MaxSessionDuration": role.max_session_seconds}
                for role in shown
            ]
        } | rest

    async def update_role(self, call: Call, request: t.UpdateRoleRequestTypeDef) -> dict[str, Any]:
        """Change what is given of description and session duration."""
        given = {"description": request.get("Description"), "max_session_seconds": request.get("MaxSessionDuration")}
        changes = {name: value for name, value in given.items() if value is not None}
        await self.store.transact(roles.change, call.account, request["RoleName"], changes)
        return {}

    async def update_role_description(
        self, call: Call, request: t.UpdateRoleDescriptionRequestTypeDef
    ) -> dict[str, Any]:
        """Change the description."""
        changes = {"description": request["Description"]}
        role = await self.store.transact(roles.change, call.account, request["RoleName"], changes)
        return {"Role": _shown(call, role) | _description(role)}

    async def update_assume_role_policy(self, call: Call, request: t.UpdateAssumeRolePolicyRequestTypeDef) -> None:
        """Replace the trust policy."""
        changes = {"trust_policy": _checked(request["PolicyDocument"])}
        await self.store.transact(roles.change, call.account, request["RoleName"], changes)

    async def put_role_permissions_boundary(
        self, call: Call, request: t.PutRolePermissionsBoundaryRequestTypeDef
    ) -> None:
        """Set the permissions boundary."""
        boundary = parse_policy_arn(request["PermissionsBoundary"], partition_of(call.region))
        await self.store.transact(roles.bound, call.account, request["RoleName"], boundary)

    async def delete_role_permissions_boundary(
        self, call: Call, request: t.DeleteRolePermissionsBoundaryRequestTypeDef
    ) -> None:
        """Remove the permissions boundary, if there is one."""
        await self.store.transact(roles.change, call.account, request["RoleName"], {"boundary": None})

    async def delete_role(self, call: Call, request: t.DeleteRoleRequestTypeDef) -> None:
        """Delete a role that has no policies."""
        await self.store.transact(roles.delete, call.account, request["RoleName"])

    async def tag_role(self, call: Call, request: t.TagRoleRequestTypeDef) -> None:
        """Set tags."""
        given = tags.OF_ROLES.checked(request["Tags"])
        await self.store.transact(roles.tag, call.account, request["RoleName"], given)

    async def untag_role(self, call: Call, request: t.UntagRoleRequestTypeDef) -> None:
        """Remove tags."""
        await self.store.transact(roles.untag, call.account, request["RoleName"], list(request["TagKeys"]))

    async def list_role_tags(self, call: Call, request: t.ListRoleTagsRequestTypeDef) -> dict[str, Any]:
        """List tags."""
        listed = page("ListRoleTags", request)
        role = await self.store.read(roles.load, call.account, request["RoleName"])
        shown, rest = listed.slice(tags.listed(role.tags))
        return {"Tags": shown} | rest


def _checked(trust_policy: str) -> str:
    documents.check_trust(trust_policy)
    if documents.size(trust_policy) > MOST_TRUST_CHARACTERS:
        raise LimitExceeded(f"Cannot exceed quota for ACLSizePerRole: {MOST_TRUST_CHARACTERS}")
    return trust_policy


def _shown(call: Call, role: Role) -> dict[str, Any]:
    """Return what every answer with a role says of it."""
    return {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.role_id,
        "Arn": role_arn(partition_of(call.region), role.account, role.path, role.name),
        "CreateDate": role.created_ms // 1000,
        "AssumeRolePolicyDocument": documents.shown(role.trust_policy),
    }


def _description(role: Role) -> dict[str, Any]:
    return {} if role.description is None else {"Description": role.description}


def _boundary(call: Call, role: Role) -> dict[str, Any]:
    if role.boundary is None:
        return {}
    arn = policy_arn(partition_of(call.region), role.boundary)
    return {"PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}}


def _tags(role: Role) -> dict[str, Any]:
    return {"Tags": tags.shown(role.tags)} if role.tags else {}

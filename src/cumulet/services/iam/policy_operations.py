"""The operations on managed policies and their versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulet.kernel.arns import partition_of
from cumulet.kernel.call import Call
from cumulet.kernel.errors import AccessDenied
from cumulet.services.iam import attachments, documents, policies, tags, versions
from cumulet.services.iam.errors import LimitExceeded
from cumulet.services.iam.names import (
    AWS,
    POLICY_ID,
    PolicyArn,
    new_id,
    parse_policy_arn,
    policy_arn,
    policy_name,
)
from cumulet.services.iam.paging import page
from cumulet.services.iam.policies import Listing
from cumulet.services.iam.policy import Policy, Usage, Uses, Version
from cumulet.services.service import Service

if TYPE_CHECKING:
    from types_boto3_iam import type_defs as t

MOST_POLICIES = 1_500
MOST_CHARACTERS = 6_144
"""IAM: the length of a managed policy's version, white space not counted."""
USES = {
    None: Uses(),
    "PermissionsPolicy": Uses(as_boundary=False),
    "PermissionsBoundary": Uses(as_permissions=False),
}


class PolicyOperations(Service):
    """What is done to managed policies."""

    async def create_policy(self, call: Call, request: t.CreatePolicyRequestTypeDef) -> dict[str, Any]:
        """Make a policy with its first version."""
        document = _checked(request["PolicyDocument"])
        arn = PolicyArn(partition_of(call.region), call.account, request.get("Path", "/"), request["PolicyName"])
        now_ms = self.clock.now_ms()
        policy = Policy(
            key=arn.key,
            account=call.account,
            path=arn.path,
            policy_id=new_id(POLICY_ID, self.ids),
            created_ms=now_ms,
            updated_ms=now_ms,
            description=request.get("Description"),
            default_version=1,
            newest_version=1,
            tags=tags.OF_POLICIES.checked(request.get("Tags", ())),
        )
        most = self.platform.quotas.limit("iam:policies-per-account", MOST_POLICIES)
        await self.store.transact(policies.create, policy, document, most)
        shown_tags = {"Tags": tags.shown(policy.tags)} if policy.tags else {}
        return {"Policy": _shown(call, policy, Usage(0, 0)) | shown_tags}

    async def get_policy(self, call: Call, request: t.GetPolicyRequestTypeDef) -> dict[str, Any]:
        """Return a policy, without its document."""
        policy, usage = await self.store.read(policies.load_with_usage, call.account, _named(call, request))
        description = {} if policy.description is None else {"Description": policy.description}
        return {"Policy": _shown(call, policy, usage) | description | {"Tags": tags.shown(policy.tags)}}

    async def list_policies(self, call: Call, request: t.ListPoliciesRequestTypeDef) -> dict[str, Any]:
        """List the account's policies and those of AWS; IAM: without descriptions and tags."""
        listed = page("ListPolicies", request)
        use = request.get("PolicyUsageFilter")
        uses = USES[use] if use or request.get("OnlyAttached") else None
        listing = Listing(request.get("Scope", "All"), request.get("PathPrefix", "/"), uses)
        found = await self.store.read(policies.behind, call.account, listing, listed)
        shown, rest = listed.cut(found, lambda used: policies.marker(used[0]))
        return {"Policies": [_shown(call, policy, usage) for policy, usage in shown]} | rest

    async def delete_policy(self, call: Call, request: t.DeletePolicyRequestTypeDef) -> None:
        """Delete a policy that no role uses."""
        await self.store.transact(policies.delete, call.account, _own(call, request))

    async def create_policy_version(self, call: Call, request: t.CreatePolicyVersionRequestTypeDef) -> dict[str, Any]:
        """Add a version."""
        document = _checked(request["PolicyDocument"])
        policy, version = await self.store.transact(
            versions.create,
            call.account,
            _own(call, request),
            document,
            self.clock.now_ms(),
            is_default=request.get("SetAsDefault", False),
        )
        return {"PolicyVersion": _version(policy, version)}

    async def get_policy_version(self, call: Call, request: t.GetPolicyVersionRequestTypeDef) -> dict[str, Any]:
        """Return a version with its document."""
        version_id = request["VersionId"]
        policy, version = await self.store.read(versions.load, call.account, _named(call, request), version_id)
        return {"PolicyVersion": _version(policy, version) | {"Document": documents.shown(version.document)}}

    async def list_policy_versions(self, call: Call, request: t.ListPolicyVersionsRequestTypeDef) -> dict[str, Any]:
        """List versions, without their documents."""
        listed = page("ListPolicyVersions", request)
        policy, found = await self.store.read(versions.every, call.account, _named(call, request))
        shown, rest = listed.slice(found)
        return {"Versions": [_version(policy, version) for version in shown]} | rest

    async def set_default_policy_version(self, call: Call, request: t.SetDefaultPolicyVersionRequestTypeDef) -> None:
        """Choose the version in force."""
        arn, version_id = _own(call, request), request["VersionId"]
        await self.store.transact(versions.set_default, call.account, arn, version_id, self.clock.now_ms())

    async def delete_policy_version(self, call: Call, request: t.DeletePolicyVersionRequestTypeDef) -> None:
        """Delete a version other than the default one."""
        await self.store.transact(versions.delete, call.account, _own(call, request), request["VersionId"])

    async def tag_policy(self, call: Call, request: t.TagPolicyRequestTypeDef) -> None:
        """Set tags."""
        given = tags.OF_POLICIES.checked(request["Tags"])
        await self.store.transact(policies.tag, call.account, _own(call, request), given)

    async def untag_policy(self, call: Call, request: t.UntagPolicyRequestTypeDef) -> None:
        """Remove tags."""
        await self.store.transact(policies.untag, call.account, _own(call, request), list(request["TagKeys"]))

    async def list_policy_tags(self, call: Call, request: t.ListPolicyTagsRequestTypeDef) -> dict[str, Any]:
        """List tags."""
        listed = page("ListPolicyTags", request)
        policy = await self.store.read(policies.load, call.account, _named(call, request))
        shown, rest = listed.slice(tags.listed(policy.tags))
        return {"Tags": shown} | rest

    async def list_entities_for_policy(
        self, call: Call, request: t.ListEntitiesForPolicyRequestTypeDef
    ) -> dict[str, Any]:
        """List the roles that use a policy; there are neither users nor groups."""
        listed = page("ListEntitiesForPolicy", request)
        found = await self.store.read(
            attachments.roles_with,
            call.account,
            _named(call, request),
            request.get("PathPrefix", "/"),
            USES[request.get("PolicyUsageFilter")],
            listed,
        )
        if request.get("EntityFilter", "Role") != "Role":
            found = []
        shown, rest = listed.cut(found, lambda role: role[0].lower())
        found_roles = [{"RoleName": name, "RoleId": role_id} for name, role_id in shown]
        return {"PolicyGroups": [], "PolicyUsers": [], "PolicyRoles": found_roles} | rest


def _named(call: Call, request: Any) -> PolicyArn:
    return parse_policy_arn(request["PolicyArn"], partition_of(call.region))


def _own(call: Call, request: Any) -> PolicyArn:
    """Return the ARN of a policy that is to be changed; AccessDenied for AWS's, which nobody else may change."""
    arn = _named(call, request)
    if arn.owner == AWS:
        raise AccessDenied(
            f"User: {call.identity.principal} is not authorized to perform: iam:{call.operation} on resource: "
            f"policy {arn}"
        )
    return arn


def _checked(document: str) -> str:
    documents.check_permissions(document)
    if documents.size(document) > MOST_CHARACTERS:
        raise LimitExceeded(f"Cannot exceed quota for PolicySize: {MOST_CHARACTERS}")
    return document


def _shown(call: Call, policy: Policy, usage: Usage) -> dict[str, Any]:
    """Return what every answer with a policy says of it."""
    return {
        "PolicyName": policy_name(policy.key),
        "PolicyId": policy.policy_id,
        "Arn": policy_arn(partition_of(call.region), policy.key),
        "Path": policy.path,
        "DefaultVersionId": f"v{policy.default_version}",
        "AttachmentCount": usage.attached,
        "PermissionsBoundaryUsageCount": usage.bounding,
        "IsAttachable": True,
        "CreateDate": policy.created_ms // 1000,
        "UpdateDate": policy.updated_ms // 1000,
    }


def _version(policy: Policy, version: Version) -> dict[str, Any]:
    return {
        "VersionId": f"v{version.number}",
        "IsDefaultVersion": version.number == policy.default_version,
        "CreateDate": version.created_ms // 1000,
    }

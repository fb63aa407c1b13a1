"""Roles and managed policies as their administrators see them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from resource import Resource
from typing import Any

import orjson
from history import Operation
from states import check, merged, without

TAG_KEYS = ("team", "stage", "cost")
INLINE_NAMES = ("read", "write")
AWS_POLICIES = (
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole",
)
POLICIES = "arn:aws:iam::000000000000:policy/"
MOST_VERSIONS = 5


def _trust(sid: str) -> str:
    return _document(sid, Action="sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"})


def _permissions(sid: str) -> str:
    return _document(sid, Action="sqs:SendMessage", Resource="*")


def _document(sid: str, **statement: Any) -> str:
    return orjson.dumps({"Version": "2012-10-17", "Statement": [{"Sid": sid, "Effect": "Allow", **statement}]}).decode()


def _sid(document: Any) -> str:
    """Return what tells a document from others; boto3 gives documents decoded."""
    decoded = orjson.loads(document) if isinstance(document, str) else document
    sid: str = decoded["Statement"][0]["Sid"]
    return sid


def _pairs(tags: list[dict[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset((tag["Key"], tag["Value"]) for tag in tags)


@dataclass(frozen=True)
class RoleState:
    """One role."""

    trust: str
    description: str
    session_seconds: int
    tags: frozenset[tuple[str, str]]
    inline: frozenset[tuple[str, str]] = frozenset()
    attached: frozenset[str] = frozenset()


def _role_created(state: RoleState | None, op: Operation) -> RoleState:
    check(state is None)
    request = op.request
    return RoleState(
        _sid(request["AssumeRolePolicyDocument"]),
        request["Description"],
        request["MaxSessionDuration"],
        _pairs(request["Tags"]),
    )


def _role_listed(state: RoleState | None, op: Operation) -> RoleState | None:
    if op.is_done:
        check([role["RoleName"] for role in op.answer["Roles"]].count(op.queue) == (state is not None))
    return state


def _role_shown(state: RoleState, op: Operation) -> RoleState:
    if op.is_done:
        role = op.answer["Role"]
        check(_sid(role["AssumeRolePolicyDocument"]) == state.trust)
        check((role["Description"], role["MaxSessionDuration"]) == (state.description, state.session_seconds))
        check(_pairs(role.get("Tags", [])) == state.tags)
    return state


def _trust_changed(state: RoleState, op: Operation) -> RoleState:
    return dataclasses.replace(state, trust=_sid(op.request["PolicyDocument"]))


def _role_changed(state: RoleState, op: Operation) -> RoleState:
    return dataclasses.replace(
        state,
        description=op.request.get("Description", state.description),
        session_seconds=op.request.get("MaxSessionDuration", state.session_seconds),
    )


def _role_tagged(state: RoleState, op: Operation) -> RoleState:
    return dataclasses.replace(state, tags=merged(state.tags, _pairs(op.request["Tags"])))


def _role_untagged(state: RoleState, op: Operation) -> RoleState:
    return dataclasses.replace(state, tags=without(state.tags, op.request["TagKeys"]))


def _inline_put(state: RoleState, op: Operation) -> RoleState:
    pair = op.request["PolicyName"], _sid(op.request["PolicyDocument"])
    return dataclasses.replace(state, inline=merged(state.inline, [pair]))


def _inline_deleted(state: RoleState, op: Operation) -> RoleState:
    name = op.request["PolicyName"]
    check(name in dict(state.inline))
    return dataclasses.replace(state, inline=without(state.inline, [name]))


def _inline_shown(state: RoleState, op: Operation) -> RoleState:
    if op.is_done:
        check(dict(state.inline).get(op.request["PolicyName"]) == _sid(op.answer["PolicyDocument"]))
    return state


def _inline_listed(state: RoleState, op: Operation) -> RoleState:
    if op.is_done:
        check(sorted(op.answer["PolicyNames"]) == sorted(dict(state.inline)))
    return state


def _attached(state: RoleState, op: Operation) -> RoleState:
    return dataclasses.replace(state, attached=state.attached | {op.request["PolicyArn"]})


def _detached(state: RoleState, op: Operation) -> RoleState:
    check(op.request["PolicyArn"] in state.attached)
    return dataclasses.replace(state, attached=state.attached - {op.request["PolicyArn"]})


def _attached_listed(state: RoleState, op: Operation) -> RoleState:
    if op.is_done:
        check(sorted(entry["PolicyArn"] for entry in op.answer["AttachedPolicies"]) == sorted(state.attached))
    return state


def _role_deleted(state: RoleState, op: Operation) -> None:
    check(not state.inline and not state.attached)


def _role_lacks(state: RoleState | None, op: Operation) -> bool:
    if state is None:
        return op.kind != "iam:CreateRole"
    if op.kind in ("iam:GetRolePolicy", "iam:DeleteRolePolicy"):
        return op.request["PolicyName"] not in dict(state.inline)
    return op.kind == "iam:DetachRolePolicy" and op.request["PolicyArn"] not in state.attached


class RoleResource(Resource[RoleState]):
    """One role."""

    shares = {
        "create": 4,
        "change": 3,
        "change_trust": 3,
        "tag": 2,
        "untag": 1,
        "put": 4,
        "take_away": 3,
        "attach": 4,
        "detach": 3,
        "look": 4,
        "delete": 3,
    }
    free_rules = {"iam:CreateRole": _role_created, "iam:ListRoles": _role_listed}
    rules = {
        "iam:GetRole": _role_shown,
        "iam:UpdateAssumeRolePolicy": _trust_changed,
        "iam:UpdateRole": _role_changed,
        "iam:TagRole": _role_tagged,
        "iam:UntagRole": _role_untagged,
        "iam:PutRolePolicy": _inline_put,
        "iam:DeleteRolePolicy": _inline_deleted,
        "iam:GetRolePolicy": _inline_shown,
        "iam:ListRolePolicies": _inline_listed,
        "iam:AttachRolePolicy": _attached,
        "iam:DetachRolePolicy": _detached,
        "iam:ListAttachedRolePolicies": _attached_listed,
        "iam:DeleteRole": _role_deleted,
    }
    refusals = {
        "EntityAlreadyExists": lambda state, op: op.kind == "iam:CreateRole" and state is not None,
        "NoSuchEntity": _role_lacks,
        "DeleteConflict": lambda state, op: (
            op.kind == "iam:DeleteRole" and state is not None and bool(state.inline or state.attached)
        ),
    }

    def look(self) -> None:
        """Ask for all that there is to know about it."""
        self.ask("iam:ListRoles")
        for kind in ("iam:GetRole", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies"):
            self._ask(kind)
        for name in INLINE_NAMES:
            self._ask("iam:GetRolePolicy", PolicyName=name)

    def finish(self) -> None:
        """Delete it with all that it has."""
        self.look()
        for name in INLINE_NAMES:
            self._ask("iam:DeleteRolePolicy", PolicyName=name)
        for arn in AWS_POLICIES:
            self._ask("iam:DetachRolePolicy", PolicyArn=arn)
        self.delete()
        self.look()

    def create(self) -> None:
        """Create it."""
        self._ask(
            "iam:CreateRole", AssumeRolePolicyDocument=_trust(self._new_sid()), Tags=self._tags(), **self._settings()
        )

    def change(self) -> None:
        """Change some of its settings."""
        self._ask("iam:UpdateRole", **self.some(**self._settings()))

    def change_trust(self) -> None:
        """Change who may assume it."""
        self._ask("iam:UpdateAssumeRolePolicy", PolicyDocument=_trust(self._new_sid()))

    def tag(self) -> None:
        """Set some tags."""
        self._ask("iam:TagRole", Tags=self._tags())

    def untag(self) -> None:
        """Remove some tags."""
        self._ask("iam:UntagRole", TagKeys=self.chance.sample(TAG_KEYS, 2))

    def put(self) -> None:
        """Write an inline policy."""
        name = self.chance.choice(INLINE_NAMES)
        self._ask("iam:PutRolePolicy", PolicyName=name, PolicyDocument=_permissions(self._new_sid()))

    def take_away(self) -> None:
        """Delete an inline policy."""
        self._ask("iam:DeleteRolePolicy", PolicyName=self.chance.choice(INLINE_NAMES))

    def attach(self) -> None:
        """Attach a policy of AWS."""
        self._ask("iam:AttachRolePolicy", PolicyArn=self.chance.choice(AWS_POLICIES))

    def detach(self) -> None:
        """Detach a policy of AWS."""
        self._ask("iam:DetachRolePolicy", PolicyArn=self.chance.choice(AWS_POLICIES))

    def delete(self) -> None:
        """Delete it, if it has no policies."""
        self._ask("iam:DeleteRole")

    def _ask(self, kind: str, **request: Any) -> Operation:
        return self.ask(kind, RoleName=self.name, **request)

    def _settings(self) -> dict[str, Any]:
        return {
            "Description": f"number {self.number()}",
            "MaxSessionDuration": self.chance.randrange(3600, 43_200),
        }

    def _tags(self) -> list[dict[str, str]]:
        return [{"Key": key, "Value": str(self.number())} for key in self.chance.sample(TAG_KEYS, 2)]

    def _new_sid(self) -> str:
        return f"S{self.number()}"


@dataclass(frozen=True)
class PolicyState:
    """One managed policy."""

    versions: frozenset[tuple[str, str]]
    """Identifier and what tells its document from others."""
    default: str
    newest: int


def _policy_created(state: PolicyState | None, op: Operation) -> PolicyState:
    check(state is None)
    return PolicyState(frozenset({("v1", _sid(op.request["PolicyDocument"]))}), "v1", 1)


def _policy_listed(state: PolicyState | None, op: Operation) -> PolicyState | None:
    if op.is_done:
        check([policy["PolicyName"] for policy in op.answer["Policies"]].count(op.queue) == (state is not None))
    return state


def _policy_shown(state: PolicyState, op: Operation) -> PolicyState:
    if op.is_done:
        check(op.answer["Policy"]["DefaultVersionId"] == state.default)
    return state


def _version_created(state: PolicyState, op: Operation) -> PolicyState:
    check(len(state.versions) < MOST_VERSIONS)
    version = f"v{state.newest + 1}"
    check(not op.is_done or op.answer["PolicyVersion"]["VersionId"] == version)
    return PolicyState(
        state.versions | {(version, _sid(op.request["PolicyDocument"]))},
        version if op.request["SetAsDefault"] else state.default,
        state.newest + 1,
    )


def _default_changed(state: PolicyState, op: Operation) -> PolicyState:
    check(op.request["VersionId"] in dict(state.versions))
    return dataclasses.replace(state, default=op.request["VersionId"])


def _version_deleted(state: PolicyState, op: Operation) -> PolicyState:
    version = op.request["VersionId"]
    check(version in dict(state.versions) and version != state.default)
    return dataclasses.replace(state, versions=without(state.versions, [version]))


def _versions_listed(state: PolicyState, op: Operation) -> PolicyState:
    if op.is_done:
        shown = op.answer["Versions"]
        check({version["VersionId"] for version in shown} == set(dict(state.versions)))
        check([version["VersionId"] for version in shown if version["IsDefaultVersion"]] == [state.default])
    return state


def _version_shown(state: PolicyState, op: Operation) -> PolicyState:
    if op.is_done:
        version = op.answer["PolicyVersion"]
        check(dict(state.versions).get(op.request["VersionId"]) == _sid(version["Document"]))
    return state


def _policy_deleted(state: PolicyState, op: Operation) -> None:
    check(len(state.versions) == 1)


def _policy_lacks(state: PolicyState | None, op: Operation) -> bool:
    if state is None:
        return op.kind != "iam:CreatePolicy"
    return "VersionId" in op.request and op.request["VersionId"] not in dict(state.versions)


def _conflicts(state: PolicyState | None, op: Operation) -> bool:
    if state is None:
        return False
    if op.kind == "iam:DeletePolicyVersion":
        return bool(op.request["VersionId"] == state.default)
    return op.kind == "iam:DeletePolicy" and len(state.versions) > 1


class PolicyResource(Resource[PolicyState]):
    """One managed policy."""

    shares = {"create": 4, "add": 5, "choose": 3, "take_away": 5, "look": 4, "delete": 3}
    free_rules = {"iam:CreatePolicy": _policy_created, "iam:ListPolicies": _policy_listed}
    rules = {
        "iam:GetPolicy": _policy_shown,
        "iam:CreatePolicyVersion": _version_created,
        "iam:SetDefaultPolicyVersion": _default_changed,
        "iam:DeletePolicyVersion": _version_deleted,
        "iam:ListPolicyVersions": _versions_listed,
        "iam:GetPolicyVersion": _version_shown,
        "iam:DeletePolicy": _policy_deleted,
    }
    refusals = {
        "EntityAlreadyExists": lambda state, op: op.kind == "iam:CreatePolicy" and state is not None,
        "NoSuchEntity": _policy_lacks,
        "DeleteConflict": _conflicts,
        "LimitExceeded": lambda state, op: (
            op.kind == "iam:CreatePolicyVersion" and state is not None and len(state.versions) == MOST_VERSIONS
        ),
    }
    _newest = 1

    def look(self) -> None:
        """Ask for all that there is to know about it."""
        self.ask("iam:ListPolicies", Scope="Local")
        self._ask("iam:GetPolicy")
        for version in self._ask("iam:ListPolicyVersions").answer.get("Versions", ()):
            self._newest = max(self._newest, int(version["VersionId"][1:]))
            self._ask("iam:GetPolicyVersion", VersionId=version["VersionId"])

    def finish(self) -> None:
        """Delete it with all that it has."""
        self.look()
        for number in range(1, self._newest + 1):
            self._ask("iam:DeletePolicyVersion", VersionId=f"v{number}")
        self.delete()
        self.look()

    def create(self) -> None:
        """Create it."""
        operation = self.ask("iam:CreatePolicy", PolicyName=self.name, PolicyDocument=self._document())
        self._newest = 1 if operation.is_done else self._newest

    def add(self) -> None:
        """Add a version."""
        is_default = self.chance.random() < 0.5
        operation = self._ask("iam:CreatePolicyVersion", PolicyDocument=self._document(), SetAsDefault=is_default)
        if operation.is_done:
            self._newest = int(operation.answer["PolicyVersion"]["VersionId"][1:])

    def choose(self) -> None:
        """Make a version the default."""
        self._ask("iam:SetDefaultPolicyVersion", VersionId=self._version())

    def take_away(self) -> None:
        """Delete a version."""
        self._ask("iam:DeletePolicyVersion", VersionId=self._version())

    def delete(self) -> None:
        """Delete it, if it has one version."""
        self._ask("iam:DeletePolicy")

    def _ask(self, kind: str, **request: Any) -> Operation:
        return self.ask(kind, PolicyArn=POLICIES + self.name, **request)

    def _document(self) -> str:
        return _permissions(f"S{self.number()}")

    def _version(self) -> str:
        return f"v{self.chance.randint(max(1, self._newest - MOST_VERSIONS), self._newest)}"

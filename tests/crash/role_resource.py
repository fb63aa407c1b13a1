"""Roles as their administrators see them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import documents
from administered import Resource
from history import Operation
from states import check, merged, without

TAG_KEYS = ("team", "stage", "cost")
INLINE_NAMES = ("read", "write")
AWS_POLICIES = (
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole",
)


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
        documents.sid(request["AssumeRolePolicyDocument"]),
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
        check(documents.sid(role["AssumeRolePolicyDocument"]) == state.trust)
        check((role["Description"], role["MaxSessionDuration"]) == (state.description, state.session_seconds))
        check(_pairs(role.get("Tags", [])) == state.tags)
    return state


def _trust_changed(state: RoleState, op: Operation) -> RoleState:
    return dataclasses.replace(state, trust=documents.sid(op.request["PolicyDocument"]))


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
    pair = op.request["PolicyName"], documents.sid(op.request["PolicyDocument"])
    return dataclasses.replace(state, inline=merged(state.inline, [pair]))


def _inline_deleted(state: RoleState, op: Operation) -> RoleState:
    name = op.request["PolicyName"]
    check(name in dict(state.inline))
    return dataclasses.replace(state, inline=without(state.inline, [name]))


def _inline_shown(state: RoleState, op: Operation) -> RoleState:
    if op.is_done:
        check(dict(state.inline).get(op.request["PolicyName"]) == documents.sid(op.answer["PolicyDocument"]))
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

    shares: ClassVar = {
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
    free_rules: ClassVar = {"iam:CreateRole": _role_created, "iam:ListRoles": _role_listed}
    rules: ClassVar = {
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
    refusals: ClassVar = {
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
            "iam:CreateRole",
            AssumeRolePolicyDocument=documents.trust(self._new_sid()),
            Tags=self._tags(),
            **self._settings(),
        )

    def change(self) -> None:
        """Change some of its settings."""
        self._ask("iam:UpdateRole", **self.some(**self._settings()))

    def change_trust(self) -> None:
        """Change who may assume it."""
        self._ask("iam:UpdateAssumeRolePolicy", PolicyDocument=documents.trust(self._new_sid()))

    def tag(self) -> None:
        """Set some tags."""
        self._ask("iam:TagRole", Tags=self._tags())

    def untag(self) -> None:
        """Remove some tags."""
        self._ask("iam:UntagRole", TagKeys=self.chance.sample(TAG_KEYS, 2))

    def put(self) -> None:
        """Write an inline policy."""
        name = self.chance.choice(INLINE_NAMES)
        self._ask("iam:PutRolePolicy", PolicyName=name, PolicyDocument=documents.permissions(self._new_sid()))

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

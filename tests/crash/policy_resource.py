"""Managed policies as their administrators see them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import documents
from administered import Resource
from history import Operation
from states import check, without

POLICIES = "arn:aws:iam::000000000000:policy/"
MOST_VERSIONS = 5


@dataclass(frozen=True)
class PolicyState:
    """One managed policy."""

    versions: frozenset[tuple[str, str]]
    """Identifier and what tells its document from others."""
    default: str
    newest: int


def _policy_created(state: PolicyState | None, op: Operation) -> PolicyState:
    check(state is None)
    return PolicyState(frozenset({("v1", documents.sid(op.request["PolicyDocument"]))}), "v1", 1)


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
        state.versions | {(version, documents.sid(op.request["PolicyDocument"]))},
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
        check(dict(state.versions).get(op.request["VersionId"]) == documents.sid(version["Document"]))
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

    shares: ClassVar = {"create": 4, "add": 5, "choose": 3, "take_away": 5, "look": 4, "delete": 3}
    free_rules: ClassVar = {"iam:CreatePolicy": _policy_created, "iam:ListPolicies": _policy_listed}
    rules: ClassVar = {
        "iam:GetPolicy": _policy_shown,
        "iam:CreatePolicyVersion": _version_created,
        "iam:SetDefaultPolicyVersion": _default_changed,
        "iam:DeletePolicyVersion": _version_deleted,
        "iam:ListPolicyVersions": _versions_listed,
        "iam:GetPolicyVersion": _version_shown,
        "iam:DeletePolicy": _policy_deleted,
    }
    refusals: ClassVar = {
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
        return documents.permissions(f"S{self.number()}")

    def _version(self) -> str:
        return f"v{self.chance.randint(max(1, self._newest - MOST_VERSIONS), self._newest)}"

"""The versions, aliases and permissions of a function as their administrators see them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson
from function_resource import AnyFunction, code, digest, package_digest
from history import Operation
from states import check, merged, without

ALIASES = ("live", "beta")
SIDS = ("first", "second", "third")
Pairs = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class VersionState:
    """One function with all that it has."""

    digest: str
    """Of the code of `$LATEST`."""
    last: int = 0
    """The number of the version that was published last."""
    versions: Pairs = frozenset()
    """The digest of the code of each version that is there, by number."""
    aliases: Pairs = frozenset()
    """The version that each alias stands for."""
    sids: frozenset[str] = frozenset()

    def published(self) -> VersionState:
        """Return the state after publishing: a version more, if the code is another than that of the newest."""
        if dict(self.versions).get(str(self.last)) == self.digest:
            return self
        number = self.last + 1
        versions = merged(self.versions, [(str(number), self.digest)])
        return dataclasses.replace(self, last=number, versions=versions)

    def digest_of(self, version: str) -> str | None:
        """Return the digest of the code of a version, None where there is no such version."""
        return self.digest if version == "$LATEST" else dict(self.versions).get(version)


def _created(state: VersionState | None, op: Operation) -> VersionState:
    check(state is None)
    return VersionState(package_digest(op.request["Code"]["ZipFile"])).published()


def _code_changed(state: VersionState, op: Operation) -> VersionState:
    return _published(dataclasses.replace(state, digest=package_digest(op.request["ZipFile"])), op)


def _published(state: VersionState, op: Operation) -> VersionState:
    after = state.published()
    if op.is_done:
        check(op.answer["Version"] == str(after.last))
        check(op.answer["CodeSha256"] == after.digest)
    return after


def _versions_shown(state: VersionState, op: Operation) -> VersionState:
    if op.is_done:
        found = {version["Version"]: version["CodeSha256"] for version in op.answer["Versions"]}
        check(found == {"$LATEST": state.digest, **dict(state.versions)})
    return state


def _aliases_shown(state: VersionState, op: Operation) -> VersionState:
    if op.is_done:
        found = {alias["Name"]: alias["FunctionVersion"] for alias in op.answer["Aliases"]}
        check(found == dict(state.aliases))
    return state


def _policy_shown(state: VersionState, op: Operation) -> VersionState:
    if op.is_done:
        check({statement["Sid"] for statement in orjson.loads(op.answer["Policy"])["Statement"]} == state.sids)
    return state


def _invoked(state: VersionState, op: Operation) -> VersionState:
    if op.is_done:
        version = dict(state.aliases).get(op.request["Qualifier"])
        check(op.answer["ExecutedVersion"] == version)
        check("FunctionError" not in op.answer)
        check(digest(orjson.loads(op.answer["Payload"])["version"]) == state.digest_of(version or ""))
    return state


def _deleted(state: VersionState, op: Operation) -> VersionState | None:
    number = op.request.get("Qualifier")
    if number is None:
        return None
    check(number not in dict(state.aliases).values())
    return dataclasses.replace(state, versions=without(state.versions, [number]))


def _alias_created(state: VersionState, op: Operation) -> VersionState:
    check(op.request["Name"] not in dict(state.aliases))
    return _alias_changed(state, op, is_there=False)


def _alias_changed(state: VersionState, op: Operation, *, is_there: bool = True) -> VersionState:
    name, version = op.request["Name"], op.request["FunctionVersion"]
    check((name in dict(state.aliases)) == is_there)
    check(state.digest_of(version) is not None)
    return dataclasses.replace(state, aliases=merged(state.aliases, [(name, version)]))


def _alias_deleted(state: VersionState | None, op: Operation) -> VersionState | None:
    return state and dataclasses.replace(state, aliases=without(state.aliases, [op.request["Name"]]))


def _allowed(state: VersionState, op: Operation) -> VersionState:
    check(op.request["StatementId"] not in state.sids)
    return dataclasses.replace(state, sids=state.sids | {op.request["StatementId"]})


def _denied(state: VersionState, op: Operation) -> VersionState:
    check(op.request["StatementId"] in state.sids)
    return dataclasses.replace(state, sids=state.sids - {op.request["StatementId"]})


def _may_conflict(state: VersionState | None, op: Operation) -> bool:
    if op.kind == "lambda:CreateFunction":
        return state is not None
    if state is None:
        return False
    if op.kind == "lambda:CreateAlias":
        return op.request["Name"] in dict(state.aliases)
    if op.kind == "lambda:AddPermission":
        return op.request["StatementId"] in state.sids
    return op.kind == "lambda:DeleteFunction" and op.request.get("Qualifier") in dict(state.aliases).values()


def _may_be_missing(state: VersionState | None, op: Operation) -> bool:
    if state is None or op.kind == "lambda:CreateFunction":
        return state is None and op.kind != "lambda:CreateFunction"
    if op.kind in ("lambda:CreateAlias", "lambda:UpdateAlias"):
        is_missing = op.kind == "lambda:UpdateAlias" and op.request["Name"] not in dict(state.aliases)
        return is_missing or state.digest_of(op.request["FunctionVersion"]) is None
    if op.kind == "lambda:RemovePermission":
        return op.request["StatementId"] not in state.sids
    if op.kind == "lambda:Invoke":
        return op.request["Qualifier"] not in dict(state.aliases)
    return op.kind == "lambda:GetPolicy" and not state.sids


class VersionResource(AnyFunction[VersionState]):
    """One function, with its versions, aliases and policy."""

    shares: ClassVar = {
        "create": 3,
        "change_code": 4,
        "publish": 4,
        "delete_version": 2,
        "create_alias": 4,
        "change_alias": 4,
        "delete_alias": 1,
        "allow": 4,
        "deny": 2,
        "look": 5,
        "invoke": 1,
        "delete": 1,
    }
    free_rules: ClassVar = {"lambda:CreateFunction": _created, "lambda:DeleteAlias": _alias_deleted}
    rules: ClassVar = {
        "lambda:UpdateFunctionCode": _code_changed,
        "lambda:PublishVersion": _published,
        "lambda:ListVersionsByFunction": _versions_shown,
        "lambda:ListAliases": _aliases_shown,
        "lambda:GetPolicy": _policy_shown,
        "lambda:Invoke": _invoked,
        "lambda:DeleteFunction": _deleted,
        "lambda:CreateAlias": _alias_created,
        "lambda:UpdateAlias": _alias_changed,
        "lambda:AddPermission": _allowed,
        "lambda:RemovePermission": _denied,
    }
    refusals: ClassVar = {
        "ResourceConflictException": _may_conflict,
        "ResourceNotFoundException": _may_be_missing,
    }

    def look(self) -> None:
        """Ask for all that there is to know about it."""
        for kind in ("ListVersionsByFunction", "ListAliases", "GetPolicy"):
            self.ask(f"lambda:{kind}", FunctionName=self.name)

    def create(self) -> None:
        """Create it, with its first version."""
        self.make(Environment={"Variables": {"COLOUR": "grey"}}, Publish=True)

    def change_code(self) -> None:
        """Replace its code, and publish it."""
        self.ask("lambda:UpdateFunctionCode", FunctionName=self.name, ZipFile=code(self.number()), Publish=True)

    def publish(self) -> None:
        """Publish what it is, which may be what was published last."""
        self.ask("lambda:PublishVersion", FunctionName=self.name)

    def delete_version(self) -> None:
        """Delete a version, which may not be there."""
        self.ask("lambda:DeleteFunction", FunctionName=self.name, Qualifier=self._version())

    def create_alias(self) -> None:
        """Create an alias for a version, which may not be there."""
        self.ask("lambda:CreateAlias", **self._alias(), FunctionVersion=self._version())

    def change_alias(self) -> None:
        """Let an alias stand for another version."""
        self.ask("lambda:UpdateAlias", **self._alias(), FunctionVersion=self._version())

    def delete_alias(self) -> None:
        """Delete an alias."""
        self.ask("lambda:DeleteAlias", **self._alias())

    def allow(self) -> None:
        """Add a permission."""
        self.ask(
            "lambda:AddPermission",
            FunctionName=self.name,
            StatementId=self.chance.choice(SIDS),
            Action="lambda:InvokeFunction",
            Principal="sns.amazonaws.com",
        )

    def deny(self) -> None:
        """Take a permission back."""
        self.ask("lambda:RemovePermission", FunctionName=self.name, StatementId=self.chance.choice(SIDS))

    def invoke(self) -> None:
        """Run it by an alias."""
        self.ask("lambda:Invoke", FunctionName=self.name, Qualifier=self.chance.choice(ALIASES))

    def _alias(self) -> dict[str, Any]:
        return {"FunctionName": self.name, "Name": self.chance.choice(ALIASES)}

    def _version(self) -> str:
        return str(self.chance.randint(1, 5))

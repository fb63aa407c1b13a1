"""Layers, with their versions and who may use them, as their administrators see them."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson
from administered import Resource
from history import Operation
from pipeline import package
from states import check, merged, without

SIDS = ("one", "two")
MOST_VERSIONS = 20
"""So many are kept, less than a page of a list has."""

Permissions = tuple[str, ...]


def code(number: int) -> bytes:
    """Return what is in a version of a layer; each number has its own."""
    return package(f"NUMBER = {number}\n")


def digest(content: bytes) -> str:
    """Return how Lambda names a package: its SHA-256 in base64."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


@dataclass(frozen=True)
class LayerState:
    """One layer, if it has versions or not."""

    last: int = 0
    """The number that was given last."""
    versions: frozenset[tuple[int, str]] = frozenset()
    """Numbers and digests."""
    permissions: frozenset[tuple[int, Permissions]] = frozenset()
    """The statement ids of the versions that have some, in their order."""

    def with_permissions(self, number: int, sids: Permissions) -> LayerState:
        """Return the layer after a change of who may use a version."""
        left = without(self.permissions, [number])
        return dataclasses.replace(self, permissions=merged(left, {number: sids}.items()) if sids else left)


def _published(state: LayerState, op: Operation) -> LayerState:
    number = state.last + 1
    check(not op.is_done or op.answer["Version"] == number)
    content = digest(op.request["Content"]["ZipFile"])
    return dataclasses.replace(state, last=number, versions=merged(state.versions, {number: content}.items()))


def _deleted(state: LayerState, op: Operation) -> LayerState:
    number = op.request["VersionNumber"]
    return dataclasses.replace(
        state, versions=without(state.versions, [number]), permissions=without(state.permissions, [number])
    )


def _listed(state: LayerState, op: Operation) -> LayerState:
    if op.is_done:
        found = [version["Version"] for version in op.answer["LayerVersions"]]
        check(found == sorted(dict(state.versions), reverse=True))
    return state


def _shown(state: LayerState, op: Operation) -> LayerState:
    if op.is_done:
        check(dict(state.versions).get(op.request["VersionNumber"]) == op.answer["Content"]["CodeSha256"])
    return state


def _permitted(state: LayerState, op: Operation) -> LayerState:
    number, sid = op.request["VersionNumber"], op.request["StatementId"]
    before = dict(state.permissions).get(number, ())
    check(number in dict(state.versions) and sid not in before)
    return state.with_permissions(number, (*before, sid))


def _forbidden(state: LayerState, op: Operation) -> LayerState:
    number, sid = op.request["VersionNumber"], op.request["StatementId"]
    before = dict(state.permissions).get(number, ())
    check(sid in before)
    return state.with_permissions(number, tuple(other for other in before if other != sid))


def _policy_shown(state: LayerState, op: Operation) -> LayerState:
    if op.is_done:
        found = tuple(statement["Sid"] for statement in orjson.loads(op.answer["Policy"])["Statement"])
        check(dict(state.permissions).get(op.request["VersionNumber"]) == found)
    return state


def _lacks(state: LayerState, op: Operation) -> bool:
    number = op.request["VersionNumber"]
    if number not in dict(state.versions):
        return True
    sids = dict(state.permissions).get(number, ())
    if op.kind == "lambda:RemoveLayerVersionPermission":
        return op.request["StatementId"] not in sids
    return op.kind == "lambda:GetLayerVersionPolicy" and not sids


def _is_permitted(state: LayerState, op: Operation) -> bool:
    return op.request["StatementId"] in dict(state.permissions).get(op.request["VersionNumber"], ())


class LayerResource(Resource[LayerState]):
    """One layer."""

    shares: ClassVar = {"publish": 4, "permit": 3, "forbid": 2, "delete": 3, "look": 2}
    free_rules: ClassVar = {}
    rules: ClassVar = {
        "lambda:PublishLayerVersion": _published,
        "lambda:DeleteLayerVersion": _deleted,
        "lambda:ListLayerVersions": _listed,
        "lambda:GetLayerVersion": _shown,
        "lambda:AddLayerVersionPermission": _permitted,
        "lambda:RemoveLayerVersionPermission": _forbidden,
        "lambda:GetLayerVersionPolicy": _policy_shown,
    }
    refusals: ClassVar = {"ResourceNotFoundException": _lacks, "ResourceConflictException": _is_permitted}
    _most = 1
    """The highest number that there may be."""

    def look(self) -> None:
        """Ask for all that there is to know about it, and delete old versions where there are many."""
        listed = self._ask("lambda:ListLayerVersions")
        if listed.is_done:
            numbers = [version["Version"] for version in listed.answer["LayerVersions"]]
            self._most = max([self._most, *numbers])
            for number in numbers:
                self._ask("lambda:GetLayerVersion", VersionNumber=number)
                self._ask("lambda:GetLayerVersionPolicy", VersionNumber=number)
            for number in numbers[MOST_VERSIONS:]:
                self._ask("lambda:DeleteLayerVersion", VersionNumber=number)

    def finish(self) -> None:
        """Delete it with all that it has."""
        self.look()
        listed = self._ask("lambda:ListLayerVersions")
        for version in listed.answer["LayerVersions"]:
            self._ask("lambda:DeleteLayerVersion", VersionNumber=version["Version"])
        self.look()

    def publish(self) -> None:
        """Publish a version."""
        published = self._ask("lambda:PublishLayerVersion", Content={"ZipFile": code(self.number())})
        if published.is_done:
            self._most = published.answer["Version"]

    def permit(self) -> None:
        """Let all use a version."""
        self._ask(
            "lambda:AddLayerVersionPermission",
            VersionNumber=self._some_number(),
            StatementId=self.chance.choice(SIDS),
            Action="lambda:GetLayerVersion",
            Principal="*",
        )

    def forbid(self) -> None:
        """Take it back."""
        self._ask(
            "lambda:RemoveLayerVersionPermission",
            VersionNumber=self._some_number(),
            StatementId=self.chance.choice(SIDS),
        )

    def delete(self) -> None:
        """Delete a version."""
        self._ask("lambda:DeleteLayerVersion", VersionNumber=self._some_number())

    def _after(self, state: LayerState | None, op: Operation) -> LayerState | None:
        return super()._after(state or LayerState(), op)

    def _some_number(self) -> int:
        """Return the number of one of the newest versions, which may be deleted."""
        return self.chance.randint(max(1, self._most - 4), self._most)

    def _ask(self, kind: str, **request: Any) -> Operation:
        return self.ask(kind, LayerName=self.name, **request)

"""Functions and event source mappings as their administrators see them."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from dataclasses import dataclass
from resource import Resource
from typing import Any

import orjson
from history import Operation
from pipeline import ARN, ROLE, package
from states import check, merged, without

TAG_KEYS = ("team", "stage", "cost")
MARK = "arn:aws:lambda:us-east-1:000000000000:function:"
SOURCE = """
import os

def handler(event, context):
    return {{"version": {version}, "memory": int(context.memory_limit_in_mb), "colour": os.environ["COLOUR"]}}
"""


def digest(version: int) -> str:
    """Return how Lambda names the package with a version of the code: the SHA-256 in base64."""
    return _digest(code(version))


def code(version: int) -> bytes:
    """Return a package; each version answers its own number."""
    return package(SOURCE.format(version=version))


def _digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


@dataclass(frozen=True)
class FunctionState:
    """One function."""

    digest: str
    description: str
    memory_mb: int
    colour: str
    tags: frozenset[tuple[str, str]]
    reserved: int | None = None


def _created(state: FunctionState | None, op: Operation) -> FunctionState:
    check(state is None)
    request = op.request
    return FunctionState(
        _digest(request["Code"]["ZipFile"]),
        request["Description"],
        request["MemorySize"],
        request["Environment"]["Variables"]["COLOUR"],
        frozenset(request["Tags"].items()),
    )


def _listed(state: FunctionState | None, op: Operation) -> FunctionState | None:
    if op.is_done:
        found = [entry for entry in op.answer["Functions"] if entry["FunctionName"] == op.queue]
        check(len(found) == (state is not None))
        if state is not None:
            _check_shown(state, found[0])
    return state


def _shown(state: FunctionState, op: Operation) -> FunctionState:
    if op.is_done:
        _check_shown(state, op.answer["Configuration"])
        check(frozenset(op.answer.get("Tags", {}).items()) == state.tags)
        check(op.answer.get("Concurrency", {}).get("ReservedConcurrentExecutions") == state.reserved)
    return state


def _check_shown(state: FunctionState, shown: dict[str, Any]) -> None:
    check(shown["CodeSha256"] == state.digest)
    check(shown["Description"] == state.description)
    check(shown["MemorySize"] == state.memory_mb)
    check(shown["Environment"] == {"Variables": {"COLOUR": state.colour}})


def _invoked(state: FunctionState, op: Operation) -> FunctionState:
    if op.is_done:
        said = orjson.loads(op.answer["Payload"])
        check("FunctionError" not in op.answer)
        check(digest(said["version"]) == state.digest)
        check((said["memory"], said["colour"]) == (state.memory_mb, state.colour))
    return state


def _code_changed(state: FunctionState, op: Operation) -> FunctionState:
    return dataclasses.replace(state, digest=_digest(op.request["ZipFile"]))


def _configured(state: FunctionState, op: Operation) -> FunctionState:
    colour = op.request.get("Environment", {}).get("Variables", {}).get("COLOUR", state.colour)
    return dataclasses.replace(
        state,
        description=op.request.get("Description", state.description),
        memory_mb=op.request.get("MemorySize", state.memory_mb),
        colour=colour,
    )


def _reserved(state: FunctionState, op: Operation) -> FunctionState:
    return dataclasses.replace(state, reserved=op.request.get("ReservedConcurrentExecutions"))


def _tagged(state: FunctionState, op: Operation) -> FunctionState:
    return dataclasses.replace(state, tags=merged(state.tags, op.request["Tags"].items()))


def _untagged(state: FunctionState, op: Operation) -> FunctionState:
    return dataclasses.replace(state, tags=without(state.tags, op.request["TagKeys"]))


class FunctionResource(Resource[FunctionState]):
    """One function."""

    shares = {
        "create": 4,
        "change_code": 4,
        "configure": 4,
        "reserve": 2,
        "free": 1,
        "tag": 2,
        "untag": 1,
        "look": 4,
        "invoke": 2,
        "delete": 1,
    }
    free_rules = {"lambda:CreateFunction": _created, "lambda:ListFunctions": _listed}
    rules = {
        "lambda:GetFunction": _shown,
        "lambda:Invoke": _invoked,
        "lambda:UpdateFunctionCode": _code_changed,
        "lambda:UpdateFunctionConfiguration": _configured,
        "lambda:PutFunctionConcurrency": _reserved,
        "lambda:DeleteFunctionConcurrency": _reserved,
        "lambda:TagResource": _tagged,
        "lambda:UntagResource": _untagged,
        "lambda:DeleteFunction": lambda state, op: None,
    }
    refusals = {
        "ResourceConflictException": lambda state, op: op.kind == "lambda:CreateFunction" and state is not None,
        "ResourceNotFoundException": lambda state, op: op.kind != "lambda:CreateFunction" and state is None,
        "TooManyRequestsException": lambda state, op: (
            op.kind == "lambda:Invoke" and state is not None and state.reserved == 0
        ),
    }

    def look(self) -> None:
        """Ask for all that there is to know about it."""
        self.ask("lambda:ListFunctions")
        self.ask("lambda:GetFunction", FunctionName=self.name)

    def finish(self) -> None:
        """Delete it, and what it has logged."""
        self.look()
        self.delete()
        self.look()

    def create(self) -> None:
        """Create it."""
        self.ask(
            "lambda:CreateFunction",
            FunctionName=self.name,
            Runtime="python3.11",
            Role=ROLE,
            Handler="app.handler",
            Code={"ZipFile": code(self.number())},
            Tags={key: str(self.number()) for key in self.chance.sample(TAG_KEYS, 2)},
            Timeout=30,
            **self._settings(),
        )

    def change_code(self) -> None:
        """Replace its code."""
        self.ask("lambda:UpdateFunctionCode", FunctionName=self.name, ZipFile=code(self.number()))

    def configure(self) -> None:
        """Change some of its settings."""
        self.ask("lambda:UpdateFunctionConfiguration", FunctionName=self.name, **self.some(**self._settings()))

    def reserve(self) -> None:
        """Reserve concurrency for it, if only 0."""
        wanted = self.chance.randrange(4)
        self.ask("lambda:PutFunctionConcurrency", FunctionName=self.name, ReservedConcurrentExecutions=wanted)

    def free(self) -> None:
        """Give back what is reserved."""
        self.ask("lambda:DeleteFunctionConcurrency", FunctionName=self.name)

    def tag(self) -> None:
        """Set some tags."""
        tags = {key: str(self.number()) for key in self.chance.sample(TAG_KEYS, 2)}
        self.ask("lambda:TagResource", Resource=MARK + self.name, Tags=tags)

    def untag(self) -> None:
        """Remove some tags."""
        self.ask("lambda:UntagResource", Resource=MARK + self.name, TagKeys=self.chance.sample(TAG_KEYS, 2))

    def invoke(self) -> None:
        """Run it."""
        self.ask("lambda:Invoke", FunctionName=self.name)

    def delete(self) -> None:
        """Delete it."""
        self.ask("lambda:DeleteFunction", FunctionName=self.name)

    def _settings(self) -> dict[str, Any]:
        return {
            "Description": f"number {self.number()}",
            "MemorySize": self.chance.randrange(128, 1024),
            "Environment": {"Variables": {"COLOUR": f"shade {self.number()}"}},
        }


@dataclass(frozen=True)
class MappingState:
    """One event source mapping; its UUID is None as long as nobody was told."""

    uuid: str | None
    is_enabled: bool
    batch_size: int
    concurrency: int | None
    reports: bool


def _mapping_created(state: MappingState | None, op: Operation) -> MappingState:
    check(state is None)
    request = op.request
    return MappingState(
        op.answer.get("UUID"),
        request["Enabled"],
        request["BatchSize"],
        request["ScalingConfig"].get("MaximumConcurrency"),
        bool(request["FunctionResponseTypes"]),
    )


def _mapping_listed(state: MappingState | None, op: Operation) -> MappingState | None:
    if not op.is_done:
        return state
    found = op.answer["EventSourceMappings"]
    check(len(found) == (state is not None))
    return _mapping_seen(state, found[0]) if state is not None else None


def _mapping_shown(state: MappingState, op: Operation) -> MappingState:
    return _mapping_seen(state, op.answer) if op.is_done else state


def _mapping_seen(state: MappingState, shown: dict[str, Any]) -> MappingState:
    check(state.uuid in (None, shown["UUID"]))
    check(shown["State"] == ("Enabled" if state.is_enabled else "Disabled"))
    check(shown["BatchSize"] == state.batch_size)
    check(shown.get("ScalingConfig", {}).get("MaximumConcurrency") == state.concurrency)
    check(bool(shown.get("FunctionResponseTypes")) == state.reports)
    return dataclasses.replace(state, uuid=shown["UUID"])


def _mapping_changed(state: MappingState, op: Operation) -> MappingState:
    request = op.request
    check(state.uuid == request["UUID"])
    concurrency = (
        request["ScalingConfig"].get("MaximumConcurrency") if "ScalingConfig" in request else state.concurrency
    )
    reports = bool(request["FunctionResponseTypes"]) if "FunctionResponseTypes" in request else state.reports
    return MappingState(
        state.uuid,
        request.get("Enabled", state.is_enabled),
        request.get("BatchSize", state.batch_size),
        concurrency,
        reports,
    )


def _mapping_deleted(state: MappingState, op: Operation) -> None:
    check(state.uuid == op.request["UUID"])


class MappingResource(Resource[MappingState]):
    """The event source mapping of the queue that has its name to the function `base`."""

    shares = {"create": 3, "change": 5, "look": 4, "delete": 1}
    free_rules = {
        "lambda:CreateEventSourceMapping": _mapping_created,
        "lambda:ListEventSourceMappings": _mapping_listed,
    }
    rules = {
        "lambda:GetEventSourceMapping": _mapping_shown,
        "lambda:UpdateEventSourceMapping": _mapping_changed,
        "lambda:DeleteEventSourceMapping": _mapping_deleted,
    }
    refusals = {
        "ResourceConflictException": lambda state, op: (
            op.kind == "lambda:CreateEventSourceMapping" and state is not None
        ),
        "ResourceNotFoundException": lambda state, op: (
            "UUID" in op.request and (state is None or state.uuid != op.request["UUID"])
        ),
    }
    _uuid = ""

    def look(self) -> None:
        """Ask for all that there is to know about it."""
        listed = self.ask("lambda:ListEventSourceMappings", EventSourceArn=ARN + self.name)
        for found in listed.answer.get("EventSourceMappings", ()):
            self._uuid = found["UUID"]
        if self._uuid:
            self.ask("lambda:GetEventSourceMapping", UUID=self._uuid)

    def finish(self) -> None:
        """Delete it."""
        self.look()
        self.delete()
        self.look()

    def create(self) -> None:
        """Create it."""
        operation = self.ask(
            "lambda:CreateEventSourceMapping",
            FunctionName="base",
            EventSourceArn=ARN + self.name,
            **self._settings(),
        )
        self._uuid = operation.answer.get("UUID", self._uuid)

    def change(self) -> None:
        """Change some of its settings."""
        if self._uuid:
            self.ask("lambda:UpdateEventSourceMapping", UUID=self._uuid, **self.some(**self._settings()))

    def delete(self) -> None:
        """Delete it."""
        if self._uuid:
            self.ask("lambda:DeleteEventSourceMapping", UUID=self._uuid)

    def _settings(self) -> dict[str, Any]:
        concurrency = self.chance.randrange(2, 20)
        return {
            "Enabled": self.chance.random() < 0.5,
            "BatchSize": self.chance.randint(1, 10),
            "ScalingConfig": self.chance.choice([{}, {"MaximumConcurrency": concurrency}]),
            "FunctionResponseTypes": self.chance.choice([[], ["ReportBatchItemFailures"]]),
        }

"""Functions as their administrators see them."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson
from administered import Resource, State
from history import Operation
from pipeline import ROLE, package
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
    return package_digest(code(version))


def code(version: int) -> bytes:
    """Return a package; each version answers its own number."""
    return package(SOURCE.format(version=version))


def package_digest(content: bytes) -> str:
    """Return how Lambda names a package."""
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
        package_digest(request["Code"]["ZipFile"]),
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
    return dataclasses.replace(state, digest=package_digest(op.request["ZipFile"]))


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


class AnyFunction(Resource[State]):
    """What is done to a function, whatever of it is looked at."""

    def finish(self) -> None:
        """Delete it with all that it has."""
        self.look()
        self.delete()
        self.look()

    def make(self, **settings: Any) -> None:
        """Create it, with the members of the request that are its own."""
        self.ask(
            "lambda:CreateFunction",
            FunctionName=self.name,
            Runtime="python3.11",
            Role=ROLE,
            Handler="app.handler",
            Code={"ZipFile": code(self.number())},
            Timeout=30,
            **settings,
        )

    def delete(self) -> None:
        """Delete it."""
        self.ask("lambda:DeleteFunction", FunctionName=self.name)


class FunctionResource(AnyFunction[FunctionState]):
    """One function."""

    shares: ClassVar = {
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
    free_rules: ClassVar = {"lambda:CreateFunction": _created, "lambda:ListFunctions": _listed}
    rules: ClassVar = {
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
    refusals: ClassVar = {
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

    def create(self) -> None:
        """Create it."""
        tags = {key: str(self.number()) for key in self.chance.sample(TAG_KEYS, 2)}
        self.make(Tags=tags, **self._settings())

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

    def _settings(self) -> dict[str, Any]:
        return {
            "Description": f"number {self.number()}",
            "MemorySize": self.chance.randrange(128, 1024),
            "Environment": {"Variables": {"COLOUR": f"shade {self.number()}"}},
        }

"""Event source mappings as their administrators see them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from administered import Resource
from history import Operation
from pipeline import ARN
from states import check


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

    shares: ClassVar = {"create": 3, "change": 5, "look": 4, "delete": 1}
    free_rules: ClassVar = {
        "lambda:CreateEventSourceMapping": _mapping_created,
        "lambda:ListEventSourceMappings": _mapping_listed,
    }
    rules: ClassVar = {
        "lambda:GetEventSourceMapping": _mapping_shown,
        "lambda:UpdateEventSourceMapping": _mapping_changed,
        "lambda:DeleteEventSourceMapping": _mapping_deleted,
    }
    refusals: ClassVar = {
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

"""Runs the functions of event source mappings for their pollers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from cumulet.compute import CannotRun, Outcome
from cumulet.delivery import LogEvent
from cumulet.kernel.errors import AwsError
from cumulet.kernel.log import log_line
from cumulet.services.lambda_.functions import Function
from cumulet.services.lambda_.mappings import Mapping

if TYPE_CHECKING:
    from cumulet.services.lambda_.base import LambdaBase


class Runner(Protocol):
    """What pollers need of functions."""

    async def function(self, mapping: Mapping) -> Function | None:
        """Return what is to run now, or None when there is no such function, version or alias."""

    def free(self, function: Function) -> int:
        """Return how many more invocations of a function may begin now."""

    def take(self, function: Function) -> Callable[[], None]:
        """Take a slot, of which one is free, and return what gives it back."""

    def when_free(self, wake: Callable[[], None]) -> None:
        """Call `wake` once, when there may be a free slot again."""

    async def run(
        self,
        mapping: Mapping,
        function: Function,
        payload: bytes,
        *,
        request_id: str | None = None,
        trace_header: str | None = None,
    ) -> Outcome | None:
        """Run a function, for which the caller holds a slot; None where it could not be run, which is told."""


class BatchRunner:
    """The functions of a platform, for pollers."""

    def __init__(self, service: LambdaBase) -> None:
        self._service = service
        concurrency = service.concurrency
        self.free = concurrency.free
        self.take = concurrency.take
        self.when_free = concurrency.when_free

    async def function(self, mapping: Mapping) -> Function | None:
        """Return what is to run now, or None when there is no such function, version or alias."""
        chance = self._service.ids.random.random()
        return await self._service.directory.resolve(mapping.function_key, mapping.qualifier, chance)

    async def run(
        self,
        mapping: Mapping,
        function: Function,
        payload: bytes,
        *,
        request_id: str | None = None,
        trace_header: str | None = None,
    ) -> Outcome | None:
        """Run a function, for which the caller holds a slot; None where it could not be run, which is told."""
        try:
            return await self._service.run(
                function, payload, qualifier=mapping.qualifier, request_id=request_id, trace_header=trace_header
            )
        except CannotRun as reason:
            await self._tell(mapping, function, str(reason))
        except AwsError as error:
            await self._tell(mapping, function, error.message)
        return None

    async def _tell(self, mapping: Mapping, function: Function, reason: str) -> None:
        """Write why a batch was not run into the function's log group, and into the server's log."""
        now_ms = self._service.clock.now_ms()
        log_line(f"event source mapping {mapping.uuid}: {function.version_arn} could not be run: {reason}")
        day = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y/%m/%d")
        stream = f"{day}/[{function.version}]{mapping.uuid.replace('-', '')}"
        group = function.configuration.logging.group
        logs = self._service.platform.delivery.logs
        await logs.write(function.account, function.region, group, stream, [LogEvent(now_ms, reason)])

"""Placeholder until the environments exist."""

from __future__ import annotations

from typing import Any

from cumulet.compute.function import CannotRun, Function, Invocation, Outcome


class Compute:
    """The environments of all functions."""

    def __init__(self, **_: Any) -> None:
        pass

    async def invoke(self, function: Function, invocation: Invocation) -> Outcome:
        """Run an event."""
        raise CannotRun("not yet")

    def retire(self, function_arn: str, keep: str | None = None) -> None:
        """Shut down environments."""

    async def stop(self) -> None:
        """End everything."""

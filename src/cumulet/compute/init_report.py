"""What is said when an init has ended."""

from __future__ import annotations

from collections.abc import Iterator

from cumulet.compute import platform_events
from cumulet.compute.extensions import Extensions
from cumulet.compute.failure import Failure
from cumulet.compute.function import InitType
from cumulet.compute.platform_events import Phase, PlatformEvent


def init_events(
    init_type: InitType,
    phase: Phase,
    duration_ms: float,
    failure: Failure | None,
    extensions: Extensions,
    is_runtime_done: bool,
) -> Iterator[PlatformEvent]:
    """Yield what became of the runtime, unless that was said (`is_runtime_done`), of each extension and of it all."""
    status, error_type = "success", None
    if failure is not None:
        status, error_type = ("timeout", None) if failure.is_timeout else ("error", failure.error_type)
    if not is_runtime_done:
        yield platform_events.init_runtime_done(init_type, phase, status, error_type)
    for each in extensions:
        yield platform_events.extension(each.name, each.state.value, each.events, each.error_type)
    yield platform_events.init_report(init_type, phase, duration_ms, status, error_type)

"""What may refuse or delay a request before its service sees it: quotas now, injected faults by the same way."""

from __future__ import annotations

from cumulet.gateway.app import Hook
from cumulet.kernel.call import Call
from cumulet.kernel.clock import Clock
from cumulet.kernel.errors import ThrottlingException
from cumulet.kernel.quotas import Quotas
from cumulet.kernel.telemetry import Telemetry


def rate_quotas(quotas: Quotas, clock: Clock, telemetry: Telemetry) -> Hook:
    """Return the hook that refuses what exceeds a configured rate of requests."""

    def check(call: Call) -> None:
        if not quotas.allows(f"{call.service}:{call.operation}", call.account, clock.now_ms()):
            telemetry.record("AWS/Usage", "ThrottleCount", f"{call.service}:{call.operation}")
            raise ThrottlingException("Rate exceeded")

    return check

"""What may refuse or delay a request before its service sees it: quotas. Injected faults will be hooks too."""

from __future__ import annotations

from cumulet.gateway.app import Hook
from cumulet.kernel.call import Call
from cumulet.kernel.clock import Clock
from cumulet.kernel.errors import AwsError, Throttling, ThrottlingException
from cumulet.kernel.quotas import Quotas
from cumulet.kernel.telemetry import Telemetry
from cumulet.wire.errors import modeled

OWN_ERRORS = {
    "lambda": ("TooManyRequestsException", "Rate exceeded"),
    "sqs": ("RequestThrottled", "Request is throttled."),
}
"""Services that answer throttled requests with an error of their model."""


def rate_quotas(quotas: Quotas, clock: Clock, telemetry: Telemetry) -> Hook:
    """Return the hook that refuses what exceeds a configured rate of requests."""

    def check(call: Call) -> None:
        if not quotas.allows(f"{call.service}:{call.operation}", call.account, clock.now_ms()):
            telemetry.record("AWS/Usage", "ThrottleCount", f"{call.service}:{call.operation}")
            raise throttled(call.service, call.protocol)

    return check


def throttled(service: str, protocol: str) -> AwsError:
    """Return the error with which AWS throttles requests to a service."""
    if service in OWN_ERRORS:
        code, message = OWN_ERRORS[service]
        return modeled(service, code)(message)
    return Throttling("Rate exceeded") if protocol == "query" else ThrottlingException("Rate exceeded")

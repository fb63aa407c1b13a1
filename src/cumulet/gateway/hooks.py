"""What may refuse or delay a request before its service sees it: quotas. Injected faults will be hooks too."""

from __future__ import annotations

from cumulet.gateway.app import Hook
from cumulet.kernel.call import Call
from cumulet.kernel.clock import Clock
from cumulet.kernel.errors import AwsError, Throttling, ThrottlingException
from cumulet.kernel.quotas import Quotas
from cumulet.kernel.telemetry import Metric, Telemetry
from cumulet.wire.errors import modeled

OWN_ERRORS: dict[str, tuple[str, str, dict[str, str]]] = {
    "lambda": ("TooManyRequestsException", "Rate exceeded", {"Reason": "CallerRateLimitExceeded", "Type": "User"}),
    "sqs": ("RequestThrottled", "Request is throttled.", {}),
}
"""Services that answer throttled requests with an error of their model: its code, message and further members."""


def rate_quotas(quotas: Quotas, clock: Clock, telemetry: Telemetry) -> Hook:
    """Return the hook that refuses what exceeds a configured rate of requests."""

    def check(call: Call) -> None:
        if not quotas.allows(f"{call.service}:{call.operation}", call.account, clock.now_ms()):
            telemetry.record(_throttles(call))
            raise throttled(call.service, call.protocol)

    return check


def _throttles(call: Call) -> Metric:
    """CloudWatch: AWS/Usage counts throttled requests by service and operation."""
    dimensions = (("Class", "None"), ("Resource", call.operation), ("Service", call.service), ("Type", "API"))
    return Metric(call.account, call.region, "AWS/Usage", "ThrottleCount", dimensions)


def throttled(service: str, protocol: str) -> AwsError:
    """Return the error with which AWS throttles requests to a service."""
    if service in OWN_ERRORS:
        code, message, members = OWN_ERRORS[service]
        return modeled(service, code)(message, **members)
    return Throttling("Rate exceeded") if protocol == "query" else ThrottlingException("Rate exceeded")

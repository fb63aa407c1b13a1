"""An event on its way to a runtime: the headers that the Runtime API sends with it."""

from __future__ import annotations

from cumulet.compute.function import Invocation
from cumulet.kernel.ids import Ids


def event_head(invocation: Invocation, deadline_ms: int, trace: str) -> bytes:
    """Return the header lines for an invocation that may run until `deadline_ms` of the machine's clock."""
    head = (
        f"Lambda-Runtime-Aws-Request-Id: {invocation.request_id}\r\n"
        f"Lambda-Runtime-Deadline-Ms: {deadline_ms}\r\n"
        f"Lambda-Runtime-Invoked-Function-Arn: {invocation.invoked_arn}\r\n"
        f"Lambda-Runtime-Trace-Id: {_one_line(trace)}\r\n"
    )
    if invocation.client_context:
        head += f"Lambda-Runtime-Client-Context: {_one_line(invocation.client_context)}\r\n"
    return head.encode()


def trace_header(seconds: int, ids: Ids) -> str:
    """Return a new one. AWS X-Ray: there is a trace id also where nothing is traced."""
    bits = ids.random.getrandbits
    return f"Root=1-{seconds:08x}-{bits(96):024x};Parent={bits(64):016x};Sampled=0"


def _one_line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ") if "\r" in text or "\n" in text else text

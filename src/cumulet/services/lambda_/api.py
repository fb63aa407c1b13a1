"""AWS Lambda: all operations, in three parts."""

from __future__ import annotations

from cumulet.services.lambda_.event_source_operations import EventSourceOperations
from cumulet.services.lambda_.function_operations import FunctionOperations
from cumulet.services.lambda_.invoke_operations import InvokeOperations


class Lambda(FunctionOperations, InvokeOperations, EventSourceOperations, name="lambda"):
    """The service."""

    limits = frozenset({"concurrent-executions", "environments"})

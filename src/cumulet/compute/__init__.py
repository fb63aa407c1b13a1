"""Execution environments: functions run as processes that talk to the Lambda Runtime API."""

from cumulet.compute.compute import Compute
from cumulet.compute.function import CannotRun, Function, Invocation, Outcome

__all__ = ["CannotRun", "Compute", "Function", "Invocation", "Outcome"]

"""Execution environments: functions run as processes that talk to the Lambda Runtime API."""

from cumulet.compute.compute import Compute
from cumulet.compute.function import CannotRun, Function, InitFailed, Invocation, Outcome

__all__ = ["CannotRun", "Compute", "Function", "InitFailed", "Invocation", "Outcome"]

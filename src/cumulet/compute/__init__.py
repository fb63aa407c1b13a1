"""Execution environments: functions run as processes that talk to the Lambda Runtime API."""

from cumulet.compute.function import Function, Invocation, Outcome

__all__ = ["Function", "Invocation", "Outcome"]
